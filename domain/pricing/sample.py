"""What a session like this one would cost under a tariff: for whoever writes the tariff. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from domain.objects import OcpiObject
from domain.pricing.engine import Priced, price_session
from domain.pricing.local_time import zone_of
from domain.pricing.periods import ChargingPeriod

_HOUR = Decimal(60)


@dataclass(frozen=True)
class Sample:
    """`start`: local time of the location, without a zone. Energy runs evenly; a current is needed
    where restrictions ask for one."""

    start: datetime
    time_zone: str
    kwh: Decimal
    charging_min: int
    idle_min: int = 0
    reserved_min: int = 0
    current_a: Decimal | None = None


def price_sample(tariff: OcpiObject, sample: Sample) -> Priced:
    """Raises PricingInputError."""
    local = sample.start.replace(tzinfo=zone_of(sample.time_zone))
    start = local.astimezone(timezone.utc)  # minutes pass there, whatever a clock does
    charged = start + timedelta(minutes=sample.charging_min)
    end = charged + timedelta(minutes=sample.idle_min)
    periods = []
    if sample.reserved_min:
        reserved = start - timedelta(minutes=sample.reserved_min)
        periods.append(ChargingPeriod(reserved, {"RESERVATION_TIME": _hours(sample.reserved_min)}))
    charging = {"ENERGY": sample.kwh, "TIME": _hours(sample.charging_min)}
    if sample.current_a is not None:
        charging |= {"MIN_CURRENT": sample.current_a, "MAX_CURRENT": sample.current_a}
    periods.append(ChargingPeriod(start, charging))
    if sample.idle_min:
        periods.append(ChargingPeriod(charged, {"PARKING_TIME": _hours(sample.idle_min)}))
    return price_session(periods, [tariff], start, end, sample.time_zone)


def _hours(minutes: int) -> Decimal:
    return Decimal(minutes) / _HOUR
