"""How figures, times and statuses are written for people. Pure; escapes nothing: Jinja does.

Times are UTC: charge points, peers and log lines are compared by them.
"""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import quote

from db_interface.json_data import JsonMapping
from domain.audit.redaction import bare_url
from domain.charge_points.engine_clocks import EngineClock, agrees

NOTHING = "–"
OLD_AFTER_S = 60
"""A measured value that is older is shown, but greyed."""
_STATUS_TONE = {
    "AVAILABLE": "good",
    "CHARGING": "busy",
    "RESERVED": "held",
    "BLOCKED": "held",
    "INOPERATIVE": "off",
    "OUTOFORDER": "bad",
    "UNKNOWN": "warn",
    "REMOVED": "gone",
    "ACTIVE": "busy",
    "PENDING": "held",
    "RESERVATION": "held",
    "COMPLETED": "good",
    "INVALID": "off",
    "connected": "good",
    "invited": "held",
    "suspended": "off",
    "blocked": "bad",
    "disconnected": "gone",
    "CREDIT": "held",
    "noted": "warn",
    "offered": "good",
    "guests only": "held",
    "held back": "warn",
    "private": "off",
    "delivered": "good",
    "waiting": "held",
    "refused": "bad",
    "not known": "warn",
    "not pushed": "off",
    "left out": "warn",
    "changed": "held",
    "added": "busy",
    "as registered": "good",
    "not for peers": "off",
}


def tone(status: str | None) -> str:
    """The colour class of a status; the word itself is always shown beside it."""
    return _STATUS_TONE.get(status or "", "gone")


def ago(moment: datetime | None, now: datetime) -> str:
    """ "12 s", "4 min", "3 h", "2 d": the age of a moment."""
    return NOTHING if moment is None else duration((now - moment).total_seconds())


def is_old(moment: datetime | None, now: datetime) -> bool:
    """Whether what was measured then says nothing of how it is now."""
    return moment is None or (now - moment).total_seconds() > OLD_AFTER_S


def duration(seconds: float | None) -> str:
    """A length of time, as coarse as a person would say it."""
    if seconds is None:
        return NOTHING
    s = max(0, int(seconds))
    if s < 100:
        return f"{s} s"
    if s < 3600:
        return f"{s // 60} min"
    if s < 48 * 3600:
        hours, minutes = divmod(s // 60, 60)
        return f"{hours} h {minutes} min" if hours < 10 and minutes else f"{hours} h"
    return f"{s // 86400} d"


def clock_offset(clock: EngineClock | None) -> str:
    """ "1 h behind ours: its times are moved": how far an engine's clock is off."""
    if not clock:
        return NOTHING
    offset_s = clock["offset_s"]
    if agrees(offset_s):
        return "agrees with ours"
    side = "behind" if offset_s > 0 else "ahead of"
    return f"{duration(abs(offset_s))} {side} ours: its times are moved by that"


def moment(value: datetime | str | None) -> str:
    """ "2025-06-01 03:12:45" in UTC; also of OCPI's text form."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value.replace("T", " ")[:19]
    return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def iso(value: datetime | str) -> str:
    """ "2025-06-01T03:12:45Z", for programs; also of OCPI's text form, which may lack the Z."""
    if isinstance(value, str):
        return f"{value[:19].replace(' ', 'T')}Z"
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float | int | None, digits: int = 0) -> str:
    """ "12 345.6", with a narrow no-break space between thousands."""
    if value is None:
        return NOTHING
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def with_unit(value: float | None, unit: str, digits: int = 1, divisor: float = 1) -> str:
    """ "11.0 kW" of 11000 W with divisor 1000."""
    return NOTHING if value is None else f"{number(value / divisor, digits)}\u00a0{unit}"


def price(value: JsonMapping | None, currency: str | None) -> str:
    """An OCPI Price: with VAT where it is known, else said to be without."""
    if not value:
        return NOTHING
    gross = value.get("incl_vat")
    amount = number(value.get("excl_vat", 0) if gross is None else gross, 2)
    text = f"{amount}\u00a0{currency or ''}".rstrip()
    return f"{text} {'excl.' if gross is None else 'incl.'} VAT"


def segment(value: str) -> str:
    """Text as one segment of a URL's path, or one value of its query."""
    return quote(value, safe="")


def public_url(url: str | None) -> str:
    """A peer's URL as it may be shown."""
    return bare_url(url) if url else NOTHING


def party(fields: JsonMapping | None) -> str:
    """ "NL/TNM" of anything with country_code and party_id."""
    if not fields or not fields.get("country_code"):
        return NOTHING
    return f"{fields['country_code']}/{fields['party_id']}"


def hidden(uid: str | None) -> str:
    """A driver's card number, down to what is needed to recognise it."""
    if not uid:
        return NOTHING
    return f"…{uid[-4:]}" if len(uid) > 6 else "…"
