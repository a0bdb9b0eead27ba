"""A session made ready: read, given its tariffs, and cut into pieces; the input of all pricing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from domain.objects import OcpiObject
from domain.pricing.choice import tariffs_of_periods
from domain.pricing.local_time import LocalClock, zone_of
from domain.pricing.periods import ChargingPeriod, Period, read_periods
from domain.pricing.pieces import Piece, cut
from domain.pricing.quantities import PricingInputError, instant_us
from domain.pricing.tariff import CompiledTariff, compile_tariff

AnyTariff = OcpiObject | CompiledTariff
AnyPeriod = ChargingPeriod | OcpiObject


class CutSession(NamedTuple):
    """A session's periods, the tariff in force in each (or None), and its pieces in order."""

    start_us: int
    end_us: int
    periods: list[Period]
    tariffs: list[CompiledTariff | None]
    pieces: list[Piece]


def cut_session(
    periods: Sequence[AnyPeriod],
    tariffs: Sequence[AnyTariff],
    start: datetime | str,
    end: datetime | str,
    time_zone: str,
    reservation_expired: bool | None = None,
) -> CutSession:
    """See `price_session`. Raises `PricingInputError`."""
    start_us = instant_us(start, "start of the session")
    end_us = instant_us(end, "end of the session")
    if end_us < start_us:
        raise PricingInputError("end of the session: before its start")
    read = read_periods(periods, start_us, end_us)
    in_force = tariffs_of_periods(read, [compile_tariff(tariff) for tariff in tariffs], start_us)
    clock = LocalClock(zone_of(time_zone), min(start_us, read[0].start_us), end_us)
    only_reserved = all(period.is_reservation for period in read)
    expired = only_reserved and reservation_expired is not False
    pieces = cut(read, in_force, clock, start_us, expired)
    return CutSession(start_us, end_us, read, in_force, pieces)
