"""Cutting a session into pieces in which the same price components apply.

Within a charging period, energy and times run linearly. A piece ends where its period ends, where
local time, date or duration pass a bound of the tariff, or where the energy charged so far does;
pieces of a period to which the same components apply are one piece. Nothing here knows amounts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.pricing.local_time import LocalClock
from domain.pricing.matching import (
    NOTHING,
    WANT_ENERGY,
    WANT_FLAT,
    WANT_PARKING,
    WANT_RESERVATION_FLAT,
    WANT_RESERVATION_TIME,
    WANT_TIME,
    Active,
    Matcher,
)
from domain.pricing.periods import Period
from domain.pricing.quantities import US_PER_SECOND
from domain.pricing.tariff import CompiledTariff

# A period that is written to a CDR carries four decimals of a kWh: pieces are cut on that grid, so
# that the sum of what is written stays the sum of what was metered.
ENERGY_GRID_UKWH = 100


class Piece(NamedTuple):
    """A stretch of one charging period (`period` is its index) under the same components."""

    period: int
    start_us: int
    end_us: int
    energy_ukwh: int
    time_us: int
    parking_us: int
    reservation_us: int
    tariff: CompiledTariff | None
    active: Active


def cut(
    periods: Sequence[Period],
    tariffs: Sequence[CompiledTariff | None],
    clock: LocalClock,
    start_us: int,
    expired: bool,
) -> list[Piece]:
    """The pieces of a session.

    `tariffs` holds the tariff of each period. `expired`: the session is a reservation that
    expired. Durations count from the start of the session, without the reservation before it.
    """
    charging = next((p for p in periods if not p.is_reservation), None)
    reserved = periods[0].is_reservation
    began_us = charging.start_us if charging is not None and reserved else start_us
    matchers: dict[int, Matcher] = {}
    pieces: list[Piece] = []
    used = 0
    due = -1  # all bits; FLAT and a reservation's FLAT are billed once per session

    for index, period in enumerate(periods):
        tariff = tariffs[index]
        if tariff is None:
            pieces.append(Piece(index, *period[:6], None, NOTHING))
            used += period.energy_ukwh
            continue
        matcher = matchers.get(id(tariff))
        if matcher is None:
            matcher = matchers[id(tariff)] = Matcher(tariff, clock, start_us, began_us, expired)
        wanted = _wanted(period)
        first = len(pieces)
        for piece in _cut_period(index, period, matcher, tariff, used, wanted & due):
            due &= ~_billed_once(piece.active)
            if len(pieces) == first or not _joined(pieces, piece):
                pieces.append(piece)
        used += period.energy_ukwh
    return pieces


def _wanted(period: Period) -> int:
    wanted = WANT_ENERGY if period.energy_ukwh else 0
    if period.time_us:
        wanted |= WANT_TIME
    if period.parking_us:
        wanted |= WANT_PARKING
    if period.reservation_us:
        wanted |= WANT_RESERVATION_FLAT | WANT_RESERVATION_TIME
        if wanted & (WANT_ENERGY | WANT_TIME | WANT_PARKING) == 0:
            return wanted
    return wanted | WANT_FLAT


def _billed_once(active: Active) -> int:
    flat = WANT_FLAT if active.flat is not None else 0
    return flat | WANT_RESERVATION_FLAT if active.reservation_flat is not None else flat


def _cut_period(
    index: int,
    period: Period,
    matcher: Matcher,
    tariff: CompiledTariff,
    used: int,
    wanted: int,
) -> Iterator[Piece]:
    """The pieces of one period between bounds, before those that are alike are joined."""
    at, end, energy, time, parking, reservation, _, _ = period
    bounds, limits = matcher.bounds, matcher.limits_ukwh
    conditions = matcher.conditions(period)
    while True:
        segment = bisect_right(bounds, at)
        stop = bounds[segment] if segment < len(bounds) and bounds[segment] < end else end
        here = energy if stop == end else _share(energy, stop - at, end - at)
        if limits and here > 0:
            place = bisect_right(limits, used)
            if place < len(limits) and limits[place] - used < here:
                here = limits[place] - used
                stop = min(stop, _to_second(at + (end - at) * here // energy, at))
        active = matcher.active(at, segment, used, conditions, wanted)
        if stop == end and here == energy:
            yield Piece(index, at, end, energy, time, parking, reservation, tariff, active)
            return
        part, length = stop - at, max(1, end - at)
        t, p, r = time * part // length, parking * part // length, reservation * part // length
        yield Piece(index, at, stop, here, t, p, r, tariff, active)
        at, energy, time, parking, reservation = (
            stop,
            energy - here,
            time - t,
            parking - p,
            (reservation - r),
        )
        used += here
        wanted &= ~_billed_once(active)


def _share(energy: int, part: int, length: int) -> int:
    """The energy of a part of a period, on the grid; the rest of the period takes the rest."""
    return energy * part // (length * ENERGY_GRID_UKWH) * ENERGY_GRID_UKWH


def _to_second(us: int, earliest: int) -> int:
    return max(earliest, (us + US_PER_SECOND // 2) // US_PER_SECOND * US_PER_SECOND)


def _joined(pieces: list[Piece], piece: Piece) -> bool:
    """Add a piece to the one before it, unless another component came to apply with it."""
    last = pieces[-1]
    if last.active._replace(flat=None, reservation_flat=None) != piece.active:
        return False
    pieces[-1] = last._replace(
        end_us=piece.end_us,
        energy_ukwh=last.energy_ukwh + piece.energy_ukwh,
        time_us=last.time_us + piece.time_us,
        parking_us=last.parking_us + piece.parking_us,
        reservation_us=last.reservation_us + piece.reservation_us,
    )
    return True
