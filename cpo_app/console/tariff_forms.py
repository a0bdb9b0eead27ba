"""What the tariff editor's fields say: a sample session, and the few figures of a simple tariff."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from domain.pricing.sample import Sample
from domain.pricing.simple_tariff import SimpleTariff

MAX_KWH = 10_000
MAX_MINUTES = 7 * 24 * 60
MAX_PRICE = 10_000
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
SAMPLE_FIELDS = ("start", "zone", "kwh", "minutes", "idle", "reserved", "amps")
SIMPLE_FIELDS = (
    *("id", "currency", "per_kwh", "day_from", "day_to", "else_per_kwh", "per_session"),
    *("per_parked_min", "parked_after_min", "at_most", "vat", "with_vat"),
)


class FieldWrong(ValueError):
    """A field cannot be read; the message names it."""


def sample_defaults(now: datetime, zone: str) -> dict[str, str]:
    """An hour's charging tomorrow at ten, and half an hour more at the plug."""
    return {
        "start": f"{now:%Y-%m-%d}T10:00",
        "zone": zone,
        "kwh": "20",
        "minutes": "60",
        "idle": "30",
        "reserved": "0",
        "amps": "",
    }


def sample_of(fields: Mapping[str, str]) -> Sample:
    """Raises FieldWrong."""
    try:
        start = datetime.fromisoformat(fields["start"].strip())
    except ValueError:
        raise FieldWrong("sample, start: is no time like 2026-05-01T10:00") from None
    amps = fields["amps"].strip()
    return Sample(
        start=start.replace(tzinfo=None),
        time_zone=fields["zone"].strip(),
        kwh=_number(fields, "kwh", MAX_KWH),
        charging_min=int(_number(fields, "minutes", MAX_MINUTES)),
        idle_min=int(_number(fields, "idle", MAX_MINUTES)),
        reserved_min=int(_number(fields, "reserved", MAX_MINUTES)),
        current_a=_number(fields, "amps", MAX_PRICE) if amps else None,
    )


def simple_of(fields: Mapping[str, str], country_code: str, party_id: str) -> SimpleTariff:
    """Raises FieldWrong."""
    tariff_id, currency = fields["id"].strip(), fields["currency"].strip().upper()
    if not tariff_id:
        raise FieldWrong("id: is needed")
    return SimpleTariff(
        country_code=country_code,
        party_id=party_id,
        id=tariff_id,
        currency=currency or "EUR",
        per_kwh=_number(fields, "per_kwh", MAX_PRICE),
        day_from=_clock(fields, "day_from"),
        day_to=_clock(fields, "day_to"),
        else_per_kwh=_perhaps(fields, "else_per_kwh"),
        per_session=_perhaps(fields, "per_session"),
        per_parked_min=_perhaps(fields, "per_parked_min"),
        parked_after_min=int(_perhaps(fields, "parked_after_min") or 0),
        at_most=_perhaps(fields, "at_most"),
        vat=_perhaps(fields, "vat"),
        with_vat=fields["with_vat"] == "true",
    )


def _number(fields: Mapping[str, str], name: str, most: int) -> Decimal:
    text = fields[name].strip().replace(",", ".") or "0"
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise FieldWrong(f"{name}: is no number") from None
    if not value.is_finite() or not 0 <= value <= most:
        raise FieldWrong(f"{name}: is a number from 0 to {most}")
    return value


def _perhaps(fields: Mapping[str, str], name: str) -> Decimal | None:
    return _number(fields, name, MAX_PRICE) if fields[name].strip() else None


def _clock(fields: Mapping[str, str], name: str) -> str | None:
    text = fields[name].strip()
    if text and not _CLOCK.fullmatch(text):
        raise FieldWrong(f"{name}: is no time of day like 08:00")
    return text or None
