"""Time: this host's clock in UTC, and the one place where the wire form is read and written.

What happens when is the database's clock's to say (`db.now()`, `tx.now`); `utc_now` is for what
has no store at hand, and for what a peer reads in an answer.

Source: OCPI 2.2.1, types, DateTime. The text shows six forms (with and without `Z`, with and
without a fraction) and allows no other; an offset in an input is understood and turned into UTC.
Must never guess: a date alone, a week date, a space separator or an epoch number is refused.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from db_interface.clocks import to_milliseconds

__all__ = ["format_datetime", "normalise_datetime", "parse_datetime", "to_milliseconds", "utc_now"]

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
# RFC 3339 section 5.6 bounds an offset's hours at 23; real offsets end at 14 hours.
_MAX_OFFSET = timedelta(hours=23, minutes=59)
_KNOWN = 1024
"""Texts that are remembered: all parts of an object tend to bear the same few."""
_SECONDS, _MILLISECONDS = len("2015-06-29T20:39:09"), len("2015-06-29T20:39:09.123")


def utc_now() -> datetime:
    """This host's wall clock, aware."""
    return datetime.now(timezone.utc)


def _read(text: str) -> tuple[datetime, str]:
    """The moment in whole seconds (aware UTC) and the fraction as it was written ("" or ".5")."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not a timestamp of the form 2015-06-29T20:39:09Z")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), 0, timezone.utc
        )
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            if offset > _MAX_OFFSET or int(zone[4:6]) > 59:
                raise ValueError("offset out of range")
            moment = moment - offset if zone[0] == "+" else moment + offset
    except (ValueError, OverflowError):
        raise ValueError("not an existing date and time") from None
    return moment, fraction or ""


@lru_cache(maxsize=_KNOWN)
def parse_datetime(text: str) -> datetime:
    """An OCPI timestamp as an aware UTC datetime; digits beyond microseconds are cut off.

    A missing time zone designator means UTC. Raises ValueError for any other form.
    """
    moment, fraction = _read(text)
    if not fraction:
        return moment
    return moment.replace(microsecond=int(fraction[1:7].ljust(6, "0")))


def format_datetime(moment: datetime) -> str:
    """The wire form of a moment: UTC with `Z`, milliseconds only where there are any.

    A naive datetime is taken as UTC. Milliseconds and not microseconds, because the text bounds a
    timestamp at 25 characters.
    """
    if moment.tzinfo is not None and moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    text = moment.isoformat(timespec="milliseconds")
    return f"{text[:_SECONDS]}Z" if moment.microsecond < 1000 else f"{text[:_MILLISECONDS]}Z"


def normalise_datetime(value: object) -> str:
    """The wire form (UTC, `Z`, the fraction's digits as given) of a timestamp out of JSON.

    Takes a datetime of our own code, too. Raises ValueError for anything else.
    """
    if isinstance(value, datetime):
        return format_datetime(value)
    if not isinstance(value, str):
        raise ValueError("not a timestamp string")
    return _normalised(value)


@lru_cache(maxsize=_KNOWN)
def _normalised(text: str) -> str:
    moment, fraction = _read(text)
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"
