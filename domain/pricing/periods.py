"""Charging periods: how they are read, and how they are written after a split.

A ChargingPeriod has a start and no end: it ends where the next one starts, the last one with the
session (mod_cdrs, ChargingPeriod). Nothing here knows tariffs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from db_interface.json_data import JsonObject
from domain.objects import OcpiObject
from domain.pricing.money import json_number
from domain.pricing.quantities import (
    UKWH_PER_KWH,
    US_PER_HOUR,
    PricingInputError,
    datetime_of,
    instant_us,
    number,
    ocpi_time,
    ratio,
    ukwh_of,
    us_of_hours,
)
from domain.pricing.restrictions import Measured

_PARKED = Measured(Decimal(0), Decimal(0))


@dataclass(frozen=True)
class ChargingPeriod:
    """An OCPI ChargingPeriod: `start` aware UTC, `dimensions` CdrDimensionType -> volume."""

    start: datetime
    dimensions: Mapping[str, Decimal] = field(default_factory=dict)
    tariff_id: str | None = None

    @classmethod
    def from_ocpi(cls, value: OcpiObject, where: str = "charging period") -> ChargingPeriod:
        """Read the JSON form; raises `PricingInputError`."""
        start = datetime_of(instant_us(_get(value, "start_date_time", where), where))
        volumes = _volumes(value, where)
        return cls(
            start,
            {kind: number(volume, f"{where}: {kind}") for kind, volume in volumes.items()},
            value.get("tariff_id"),
        )

    def to_ocpi(self) -> JsonObject:
        """The JSON form; volumes with at most four decimals."""
        period: JsonObject = {
            "start_date_time": ocpi_time(instant_us(self.start, "charging period")),
            "dimensions": [
                {"type": kind, "volume": json_number(volume)}
                for kind, volume in self.dimensions.items()
            ],
        }
        if self.tariff_id is not None:
            period["tariff_id"] = self.tariff_id
        return period


class Period(NamedTuple):
    """A charging period with its end, in exact quantities; times are what was metered."""

    start_us: int
    end_us: int
    energy_ukwh: int
    time_us: int
    parking_us: int
    reservation_us: int
    tariff_id: str | None
    volumes: OcpiObject

    @property
    def is_reservation(self) -> bool:
        """Whether the EVSE was only reserved: nobody charged or parked."""
        return self.reservation_us > 0 and not (self.energy_ukwh or self.time_us or self.parking_us)

    def power_kw(self) -> Measured | None:
        """Power as the dimensions say; else the average of energy over charging time."""
        given = self._measured("MIN_POWER", "MAX_POWER", "POWER")
        length_us = self.time_us or self.end_us - self.start_us
        if given is not None or not self.energy_ukwh or not length_us:
            return given
        average = ratio(self.energy_ukwh * (US_PER_HOUR // UKWH_PER_KWH), length_us)
        return Measured(average, average)

    def current_a(self) -> Measured | None:
        """Current (sum over the phases) as the dimensions say."""
        return self._measured("MIN_CURRENT", "MAX_CURRENT", "CURRENT")

    def _measured(self, lowest: str, highest: str, average: str) -> Measured | None:
        known = [
            None if self.volumes.get(kind) is None else number(self.volumes[kind], kind)
            for kind in (lowest, highest, average)
        ]
        low, high, mean = known
        # One known figure stands for the others: a maximum of 16 A is not "at least 32 A".
        bottom = next((v for v in (low, mean, high) if v is not None), None)
        top = next((v for v in (high, mean, low) if v is not None), None)
        if bottom is not None and top is not None:
            return Measured(bottom, top)
        if self.parking_us and not self.time_us and not self.energy_ukwh:
            return _PARKED  # connected and not charging draws nothing
        return None


def read_periods(
    periods: Sequence[ChargingPeriod | OcpiObject], start_us: int, end_us: int
) -> list[Period]:
    """Charging periods in exact quantities; a session without any is one empty period.

    Raises `PricingInputError` for periods that are out of order or outlast the session.
    """
    if not periods:
        return [Period(start_us, end_us, 0, 0, 0, 0, None, {})]
    starts: list[int] = []
    for index, period in enumerate(periods):
        where = f"charging_periods[{index}]"
        if isinstance(period, ChargingPeriod):
            starts.append(instant_us(period.start, where))
        else:
            starts.append(instant_us(_get(period, "start_date_time", where), where))
        if index and starts[index] < starts[index - 1]:
            raise PricingInputError(f"{where}: starts before the one in front of it")
    if starts[-1] > end_us:
        raise PricingInputError(f"{where}: starts after the end of the session")
    starts.append(end_us)
    return [
        _read(period, starts[index], starts[index + 1], index)
        for index, period in enumerate(periods)
    ]


def _read(value: ChargingPeriod | OcpiObject, start: int, end: int, index: int) -> Period:
    if isinstance(value, ChargingPeriod):
        volumes: OcpiObject = value.dimensions
        tariff_id = value.tariff_id
    else:
        volumes = _volumes(value, "charging_periods[%d]", index)
        tariff_id = value.get("tariff_id")
    energy = time = parking = reservation = 0
    for kind, volume in volumes.items():
        if kind == "ENERGY":
            energy = ukwh_of(volume, "charging_periods: ENERGY")
        elif kind == "TIME":
            time = us_of_hours(volume, end - start, "charging_periods: TIME")
        elif kind == "PARKING_TIME":
            parking = us_of_hours(volume, end - start, "charging_periods: PARKING_TIME")
        elif kind == "RESERVATION_TIME":
            reservation = us_of_hours(volume, end - start, "charging_periods: RESERVATION_TIME")
    return Period(start, end, energy, time, parking, reservation, tariff_id, volumes)


def _get(value: object, key: str, where: str) -> Any:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise PricingInputError(f"{where}: not an object")
    found = value.get(key)
    if found is None:
        raise PricingInputError(f"{where}.{key}: missing")
    return found


def _volumes(period: OcpiObject, where: str, index: int | None = None) -> JsonObject:
    try:
        dimensions = period.get("dimensions") or ()
        volumes = {item["type"]: item["volume"] for item in dimensions}
        if len(volumes) == len(dimensions):
            return volumes
        problem = "two dimensions of one type"
    except (TypeError, KeyError, AttributeError):
        problem = "not a list of objects with type and volume"
    name = where if index is None else where % index
    raise PricingInputError(f"{name}.dimensions: {problem}")
