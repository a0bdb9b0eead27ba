"""The scales of charts: even steps of a figure; whole minutes, hours, days of somebody's clock."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo

from cpo_app.console.chart_drawing import HEIGHT, Tick
from cpo_app.console.words import number

_MAX_TIME_TICKS = 8
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200)
_DAY_S = 86_400


@dataclass(frozen=True)
class Scale:
    """From `bottom` to `top` in even steps."""

    bottom: float
    top: float
    step: float

    def y(self, value: float) -> float:
        return round(HEIGHT * (self.top - value) / (self.top - self.bottom), 1)

    def ticks(self) -> list[Tick]:
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        if round(self.step * 10**digits, 6) % 1:
            digits += 1  # 2.5
        count = round((self.top - self.bottom) / self.step)
        values = [self.bottom + nth * self.step for nth in range(count + 1)]
        return [Tick(self.y(value), number(value, digits)) for value in values]


def scale_of(values: Iterable[float]) -> Scale:
    """From 0, or below, to what holds them all, in at most five steps of 1, 2, 2.5 or 5."""
    known = [0.0, *values]
    lowest, highest = min(known), max(known)
    if lowest == highest:
        return Scale(0.0, 1.0, 1.0)
    rough = (highest - lowest) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * by for by in (1, 2, 2.5, 5, 10) if power * by >= rough - 1e-9)
    return Scale(
        step * math.floor(lowest / step + 1e-9), step * math.ceil(highest / step - 1e-9), step
    )


@dataclass(frozen=True)
class TimeAxis:
    since: datetime
    until: datetime
    zone: tzinfo
    length_s: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length_s", (self.until - self.since).total_seconds())

    def share(self, at: datetime) -> float:
        return (at - self.since).total_seconds() / self.length_s

    def percent(self, at: datetime) -> float:
        return round(100 * self.share(at), 3)

    def name(self, at: datetime) -> str:
        """Only as exact as the period is short."""
        form = "%Y-%m-%d %H:%M" if self.length_s > _DAY_S else "%H:%M:%S"
        return at.astimezone(self.zone).strftime(form)

    def ticks(self) -> list[Tick]:
        """On whole minutes, hours or days of the zone's clock, that of a change included."""
        step_s = next(
            (step for step in _STEPS_S if self.length_s / step <= _MAX_TIME_TICKS),
            _DAY_S * math.ceil(self.length_s / _DAY_S / _MAX_TIME_TICKS),
        )
        first = self.since.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        wall, found = first.replace(tzinfo=None), list[Tick]()
        while True:
            at = wall.replace(tzinfo=self.zone).astimezone(timezone.utc)
            if at > self.until:
                return found
            if at >= self.since:
                midnight = (wall.hour, wall.minute) == (0, 0)
                label = day_name(wall.date()) if midnight else wall.strftime("%H:%M")
                tick = Tick(self.percent(at), label, minor=len(found) % 2 == 1)
                if not found or found[-1].at < tick.at:
                    found.append(tick)
            wall += timedelta(seconds=step_s)


def day_name(day: date) -> str:
    return f"{day.day} {day.strftime('%b')}"
