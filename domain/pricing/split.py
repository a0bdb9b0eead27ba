"""Charging periods cut at the bounds of their tariffs, as a Session and a CDR must list them.

"When another Price Component becomes active, the CPO SHALL add a new Charging Period" (mod_cdrs,
ChargingPeriod). A period in which nothing changes stays the very period that was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.pricing.periods import ChargingPeriod
from domain.pricing.pieces import Piece
from domain.pricing.quantities import UKWH_PER_KWH, US_PER_HOUR, datetime_of, ratio
from domain.pricing.session import AnyPeriod, AnyTariff, cut_session


def split_periods(
    periods: Sequence[AnyPeriod],
    tariffs: Sequence[AnyTariff],
    time_zone: str,
    *,
    end: datetime | str,
    start: datetime | str | None = None,
) -> list[ChargingPeriod]:
    """The charging periods, cut where another price component comes to apply (mod_cdrs).

    Energy and time run linearly inside a period; the parts have four decimals and add up to the
    whole. `start`: the session's, where the first period's is not. Raises `PricingInputError`.
    """
    given = [
        p
        if isinstance(p, ChargingPeriod)
        else ChargingPeriod.from_ocpi(p, f"charging_periods[{i}]")
        for i, p in enumerate(periods)
    ]
    if not given:
        return []
    begin = given[0].start if start is None else start
    pieces = cut_session(given, tariffs, begin, end, time_zone).pieces
    by_period: dict[int, list[Piece]] = {}
    for piece in pieces:
        by_period.setdefault(piece.period, []).append(piece)
    return [part for index, period in enumerate(given) for part in _parts(period, by_period[index])]


# What a period says at its end, or in total: goes to the last part.
_AT_THE_END = ("ENERGY_EXPORT", "ENERGY_IMPORT", "STATE_OF_CHARGE")


def _parts(period: ChargingPeriod, pieces: Sequence[Piece]) -> list[ChargingPeriod]:
    if len(pieces) == 1:
        return [period]
    parts: list[ChargingPeriod] = []
    for piece in pieces:
        quantities = {
            "ENERGY": ratio(piece.energy_ukwh, UKWH_PER_KWH),
            "TIME": ratio(piece.time_us, US_PER_HOUR),
            "PARKING_TIME": ratio(piece.parking_us, US_PER_HOUR),
            "RESERVATION_TIME": ratio(piece.reservation_us, US_PER_HOUR),
        }
        dimensions = {
            kind: quantities.get(kind, volume)
            for kind, volume in period.dimensions.items()
            if kind not in _AT_THE_END or piece is pieces[-1]
        }
        parts.append(ChargingPeriod(datetime_of(piece.start_us), dimensions, period.tariff_id))
    return parts
