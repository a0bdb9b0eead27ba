"""The hours in which a wanted amount of energy costs least until a departure. Pure.

What an hour costs is what its tariff charges while the car draws power (ENERGY, TIME), less what it
charges while the car only stands there (PARKING_TIME). The tariff is taken as it applies at each
moment: by time of day, weekday, date and duration; by energy as far as it has got now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.pricing.component import ENERGY, PARKING_TIME, TIME
from domain.pricing.local_time import LocalClock
from domain.pricing.quantities import US_PER_HOUR, datetime_of, instant_us
from domain.pricing.restrictions import Measured, Moment
from domain.pricing.tariff import CompiledTariff

_STANDING = Measured(Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Course:
    """A session as far as it has got: when it `began`, what was charged, what the car draws."""

    began: datetime
    used_wh: float
    power_w: float


Span = tuple[datetime, datetime]


def cheapest_spans(
    tariff: CompiledTariff,
    zone: ZoneInfo,
    course: Course,
    now: datetime,
    until: datetime,
    hours: float,
    reserve_hours: float = 0.0,
) -> list[Span]:
    """When to charge for so many hours between `now` and `until`: apart, in order. Of hours that
    cost the same the early ones; less than asked for where there are not as many.

    `reserve_hours` are for what goes slower than it should. They cost as little as can be, too, and
    lie behind the others or as late as can be: there may be no need for them.
    """
    rows = _priced(tariff, zone, course, instant_us(now, "now"), instant_us(until, "until"))
    chosen: list[tuple[int, int]] = []
    left: list[tuple[Decimal, int, int]] = []
    wanted_us = int(hours * US_PER_HOUR)
    for cost, start_us, end_us in sorted(rows):
        taken_us = min(wanted_us, end_us - start_us)
        wanted_us -= taken_us
        if taken_us:
            chosen.append((start_us, start_us + taken_us))
        if start_us + taken_us < end_us:
            left.append((cost, -end_us, start_us + taken_us))
    spare_us = int(reserve_hours * US_PER_HOUR)
    last_us = max((end_us for _, end_us in chosen), default=0)
    for _, minus_end_us, start_us in sorted(left):
        taken_us = min(spare_us, -minus_end_us - start_us)
        spare_us -= taken_us
        if taken_us:
            begin_us = start_us if start_us == last_us else -minus_end_us - taken_us
            chosen.append((begin_us, begin_us + taken_us))
    return [(datetime_of(start_us), datetime_of(end_us)) for start_us, end_us in _joined(chosen)]


def _priced(
    tariff: CompiledTariff, zone: ZoneInfo, course: Course, now_us: int, until_us: int
) -> Iterator[tuple[Decimal, int, int]]:
    """(what an hour of it costs, start, end) of each piece in which nothing changes."""
    began_us = instant_us(course.began, "began")
    clock = LocalClock(zone, now_us, until_us)
    bounds = {began_us + duration_us for duration_us in tariff.durations_us}
    bounds |= set(clock.boundaries(tariff.minutes))
    inside = sorted(us for us in bounds if now_us < us < until_us)
    power_kw = Decimal(str(course.power_w)) / 1000
    used_ukwh = int(course.used_wh * 1000)
    for start_us, end_us in zip([now_us, *inside], [*inside, until_us], strict=True):
        day, minute = clock.day_and_minute(start_us)
        charging = Moment(
            day, minute, start_us - began_us, used_ukwh, Measured(power_kw, power_kw), None
        )
        standing = charging._replace(power_kw=_STANDING, current_a=_STANDING)
        costs = _price(tariff, ENERGY, charging) * power_kw + _price(tariff, TIME, charging)
        yield costs - _price(tariff, PARKING_TIME, standing), start_us, end_us


def _price(tariff: CompiledTariff, dimension: str, moment: Moment) -> Decimal:
    """Of the first element that matches (mod_tariffs, Tariff object); nothing without one."""
    for element in tariff.elements:
        component = element.components.get(dimension)
        for_sessions = element.restrictions.reservation is None
        if component is not None and for_sessions and element.restrictions.match(moment):
            return component.price
    return Decimal(0)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start_us, end_us in sorted(spans):
        if joined and joined[-1][1] == start_us:
            joined[-1] = (joined[-1][0], end_us)
        else:
            joined.append((start_us, end_us))
    return joined
