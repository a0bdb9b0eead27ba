"""The metered course of a session: stretches in which charging and price do not change. Pure.

A segment is what a charging period is made of; it holds from its start until the next one
starts, the last one until the latest meter value.

A meter value tells what flowed until it, and the state that holds from it on. A new segment
begins where that state changes as far as the price can depend on it (`_priced_by`), and where
another price component of the tariff comes to apply: there the energy between the two meter
values around is divided in proportion, once, so that what was billed before a boundary does not
move as the session goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any, TypedDict

from domain.objects import OcpiObject
from domain.pricing import ChargingPeriod, compile_tariff, split_periods


class Segment(TypedDict):
    start: datetime
    kind: str
    """Kind."""
    tariff_id: str | None
    """The tariff in force."""
    energy_wh: float
    """Of the session, at the start of the segment."""
    min_power_w: float | None
    max_power_w: float | None
    min_current_a: float | None
    max_current_a: float | None
    limit_w: float | None
    """The charging limit in force."""


MAX_LIMIT_CHANGES = 200
"""A limit that changes no price opens no further segment once there are this many."""
_MIN_USABLE_A = 6.0  # IEC 61851-1: below, a car cannot charge
_HOUR_S = Decimal(3600)
_GRID_KWH = Decimal("0.0001")


class Kind(str, Enum):
    CHARGING = "charging"
    PARKING = "parking"  # the car asks for no power
    PAUSED = "paused"  # the EVSE offers none: neither TIME nor PARKING_TIME (CdrDimensionType)
    RESERVED = "reserved"


_TIME_DIMENSION = {
    Kind.CHARGING: "TIME",
    Kind.PARKING: "PARKING_TIME",
    Kind.RESERVED: "RESERVATION_TIME",
}


@dataclass(frozen=True)
class Reading:
    """A meter value: energy of the session, and what flows now (current per phase)."""

    at: datetime
    energy_wh: float
    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    phases: int = 1
    limit_w: float | None = None

    @property
    def total_current_a(self) -> float | None:
        """Over all phases, as tariffs and CDR dimensions count it."""
        return None if self.current_a is None else round(self.current_a * self.phases, 4)

    @property
    def kind(self) -> Kind:
        if self.power_w is None or self.power_w > 0:
            return Kind.CHARGING
        usable_w = _MIN_USABLE_A * (self.voltage_v or 230.0) * self.phases
        offers_too_little = self.limit_w is not None and self.limit_w < usable_w
        return Kind.PAUSED if offers_too_little else Kind.PARKING


def opening(start: datetime, kind: Kind, tariff_id: str | None, energy_wh: float = 0.0) -> Segment:
    """A segment of which nothing was metered yet."""
    return {
        "start": start,
        "kind": kind.value,
        "tariff_id": tariff_id,
        "energy_wh": energy_wh,
        "min_power_w": None,
        "max_power_w": None,
        "min_current_a": None,
        "max_current_a": None,
        "limit_w": None,
    }


def followed(
    segments: Sequence[Segment],
    last_at: datetime,
    last_energy_wh: float,
    reading: Reading,
    tariffs: Sequence[OcpiObject],
    tariff_id: str | None,
    time_zone: str,
) -> list[Segment]:
    """The segments after a further meter value, which is not before `last_at`.

    `tariff_id`: what is in force from now on. Raises PricingInputError for a tariff that cannot
    be priced.
    """
    grown = cut_at_boundaries(segments, last_at, last_energy_wh, reading, tariffs, time_zone)
    current = grown[-1]
    new = _with(opening(reading.at, reading.kind, tariff_id, reading.energy_wh), reading)
    unmetered = current["max_power_w"] is None and current["max_current_a"] is None
    if unmetered and (current["kind"], current["tariff_id"]) == (new["kind"], tariff_id):
        # The first meter value says what has flowed since the start, too.
        return [*grown[:-1], _with(current, reading)]
    in_force = _tariff(tariffs, tariff_id)
    same_limit = current["limit_w"] == new["limit_w"] or len(grown) >= MAX_LIMIT_CHANGES
    if same_limit and _priced_by(current, in_force) == _priced_by(new, in_force):
        return [*grown[:-1], _with(current, reading)]
    if current["start"] == reading.at:
        # No segment is without length: what was metered at this very moment goes to the new one.
        return [*grown[:-1], {**new, "energy_wh": current["energy_wh"]}]
    return [*grown, new]


def charging_periods(
    segments: Sequence[Segment],
    end: datetime,
    energy_wh: float,
    tariffs: Sequence[OcpiObject],
    time_zone: str,
) -> list[dict[str, Any]]:
    """OCPI ChargingPeriods: what is priced and what is sent. Volumes have four decimals, and
    those of a dimension add up to the whole. Raises PricingInputError."""
    periods = _periods(segments, end, energy_wh)
    if any(segment["tariff_id"] for segment in segments):
        periods = split_periods(periods, tariffs, time_zone, end=end)
    return [period.to_ocpi() for period in periods]


def kwh(energy_wh: float) -> Decimal:
    """Wh as kWh with OCPI's four decimals."""
    return (Decimal(repr(float(energy_wh))) / 1000).quantize(_GRID_KWH)


def _periods(segments: Sequence[Segment], end: datetime, energy_wh: float) -> list[ChargingPeriod]:
    periods = []
    for index, segment in enumerate(segments):
        last = index + 1 == len(segments)
        until = end if last else segments[index + 1]["start"]
        energy = kwh(energy_wh if last else segments[index + 1]["energy_wh"])
        periods.append(_period(segment, until, energy - kwh(segment["energy_wh"])))
    return periods


def _period(segment: Segment, until: datetime, energy_kwh: Decimal) -> ChargingPeriod:
    kind = Kind(segment["kind"])
    dimensions: dict[str, Decimal] = {}
    if kind is Kind.CHARGING or kind is Kind.PAUSED or energy_kwh:
        dimensions["ENERGY"] = energy_kwh
    if kind in _TIME_DIMENSION:
        length = until - segment["start"]
        seconds = Decimal(length.days * 86400 + length.seconds) + Decimal(
            length.microseconds
        ) / Decimal(1_000_000)
        dimensions[_TIME_DIMENSION[kind]] = seconds / _HOUR_S
    min_power_w, max_power_w = segment["min_power_w"], segment["max_power_w"]
    if kind is Kind.CHARGING and min_power_w is not None and max_power_w is not None:
        dimensions["MIN_POWER"] = _thousandth(min_power_w)
        dimensions["MAX_POWER"] = _thousandth(max_power_w)
    if kind is Kind.CHARGING and segment["max_current_a"] is not None:
        dimensions["MIN_CURRENT"] = Decimal(repr(segment["min_current_a"]))
        dimensions["MAX_CURRENT"] = Decimal(repr(segment["max_current_a"]))
    return ChargingPeriod(segment["start"], dimensions, segment["tariff_id"])


def cut_at_boundaries(
    segments: Sequence[Segment],
    last_at: datetime,
    last_energy_wh: float,
    reading: Reading,
    tariffs: Sequence[OcpiObject],
    time_zone: str,
) -> list[Segment]:
    """The segments with new ones where, since `last_at`, another price component came to apply."""
    current = segments[-1]
    tariff = _tariff(tariffs, current["tariff_id"])
    if tariff is None or not any(element.get("restrictions") for element in tariff["elements"]):
        return list(segments)
    whole = split_periods(
        _periods(segments, reading.at, reading.energy_wh), tariffs, time_zone, end=reading.at
    )
    if len(_from(whole, current["start"])) < 2:
        return list(segments)
    if last_at <= current["start"] or last_at >= reading.at:
        return _grown(segments, _from(whole, current["start"]), current["energy_wh"])
    increment = _next(current, last_at, last_energy_wh)
    divided = split_periods(
        _periods([*segments, increment], reading.at, reading.energy_wh),
        tariffs,
        time_zone,
        end=reading.at,
    )
    parts = _from(divided, last_at)
    if len(parts) < 2:
        return [*segments, increment]  # the boundary is the last meter value itself
    return _grown(segments, parts, last_energy_wh)


def _next(segment: Segment, start: datetime, energy_wh: float) -> Segment:
    """A segment that goes on where another price component comes to apply, not yet metered."""
    fresh = opening(start, Kind(segment["kind"]), segment["tariff_id"], energy_wh)
    return {**fresh, "limit_w": segment["limit_w"]}


def _from(periods: Sequence[ChargingPeriod], start: datetime) -> list[ChargingPeriod]:
    return [period for period in periods if period.start >= start]


def _grown(
    segments: Sequence[Segment], parts: Sequence[ChargingPeriod], energy_wh: float
) -> list[Segment]:
    """The segments with one more for each part but the first, which goes on the last one."""
    grown = list(segments)
    for before, part in pairwise(parts):
        energy_wh += float(before.dimensions.get("ENERGY", Decimal(0)) * 1000)
        if part.start == grown[-1]["start"]:
            continue
        grown.append(_next(grown[-1], part.start, round(energy_wh, 3)))
    return grown


def _with(segment: Segment, reading: Reading) -> Segment:
    """The segment with what a meter value says of it."""
    power, current = reading.power_w, reading.total_current_a
    return {
        **segment,
        "min_power_w": _least(segment["min_power_w"], power),
        "max_power_w": _most(segment["max_power_w"], power),
        "min_current_a": _least(segment["min_current_a"], current),
        "max_current_a": _most(segment["max_current_a"], current),
        "limit_w": reading.limit_w,
    }


def _priced_by(
    segment: Segment, tariff: OcpiObject | None
) -> tuple[str, str | None, int | None, int | None]:
    """What a price can depend on: segments alike in it may be one."""
    power_place = current_place = None
    if tariff is not None:
        compiled = compile_tariff(tariff)
        power_place = _place(compiled.power_limits_kw, segment["max_power_w"], 1000)
        current_place = _place(compiled.current_limits_a, segment["max_current_a"], 1)
    return segment["kind"], segment["tariff_id"], power_place, current_place


def _place(limits: Sequence[Decimal], value: float | None, per_unit: int) -> int | None:
    if not limits or value is None:
        return None
    return bisect_right(limits, Decimal(repr(value)) / per_unit)


def _thousandth(value: float) -> Decimal:
    return Decimal(repr(value)) / 1000


def _tariff(tariffs: Sequence[OcpiObject], tariff_id: str | None) -> OcpiObject | None:
    return next((tariff for tariff in tariffs if tariff["id"] == tariff_id), None)


def _least(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return min(known) if known else None


def _most(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return max(known) if known else None
