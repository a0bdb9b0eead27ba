"""The cheapest hours until a departure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from domain.pricing import compile_tariff
from domain.pricing.cheapest import Course, cheapest_spans
from tests.domain.sessions.worlds import element, tariff

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2025, 5, 5, 18, 0, tzinfo=timezone.utc)  # a Monday, 20:00 in Amsterdam
MORNING = NOW + timedelta(hours=11)  # 07:00
NIGHT = element("ENERGY", 0.2, start_time="23:00", end_time="05:00")
DAY = element("ENERGY", 0.5)


def spans(
    *elements: dict[str, object], hours: float = 2, reserve_hours: float = 0
) -> list[tuple[str, str]]:
    found = cheapest_spans(
        compile_tariff(tariff("T", *elements)),
        ZONE,
        Course(NOW, 0, 10_000),
        NOW,
        MORNING,
        hours,
        reserve_hours,
    )
    return [
        (f"{start.astimezone(ZONE):%a %H:%M}", f"{end.astimezone(ZONE):%H:%M}")
        for start, end in found
    ]


@pytest.mark.parametrize(
    ("elements", "hours", "expected"),
    [
        ([DAY], 2, [("Mon 20:00", "22:00")]),
        ([NIGHT, DAY], 2, [("Mon 23:00", "01:00")]),
        ([NIGHT, DAY], 7, [("Mon 20:00", "21:00"), ("Mon 23:00", "05:00")]),
        ([NIGHT, DAY], 99, [("Mon 20:00", "07:00")]),
        ([NIGHT, DAY], 0, []),
        # By day of the week, which begins at midnight of the place.
        ([element("ENERGY", 0.1, day_of_week=["TUESDAY"]), DAY], 2, [("Tue 00:00", "02:00")]),
        ([element("ENERGY", 0.9, end_date="2025-05-06"), DAY], 1, [("Tue 00:00", "01:00")]),
        # An hour from its start on the session is free.
        ([element("ENERGY", 0.0, min_duration=3600), DAY], 1, [("Mon 21:00", "22:00")]),
        # Time at 2.00 outweighs 10 kWh at 0.10 less, and parking is paid in any case.
        ([element("TIME", 2.0, start_time="23:00", end_time="05:00"), NIGHT, DAY], 1,
         [("Mon 23:00", "00:00")]),
        ([element("TIME", 4.0, start_time="23:00", end_time="05:00"), NIGHT, DAY], 1,
         [("Mon 20:00", "21:00")]),
        ([element("PARKING_TIME", 3.0, start_time="06:00", end_time="07:00"), DAY], 1,
         [("Tue 06:00", "07:00")]),
        # What is only for cars that draw much is not for this one.
        ([element("ENERGY", 0.1, start_time="23:00", end_time="05:00", min_power=11), DAY], 1,
         [("Mon 20:00", "21:00")]),
        ([element("ENERGY", 0.1, reservation="RESERVATION"), NIGHT, DAY], 1,
         [("Mon 23:00", "00:00")]),
    ],
)  # fmt: skip
def test_the_cheapest_hours(
    elements: list[dict[str, object]], hours: float, expected: list[tuple[str, str]]
) -> None:
    assert spans(*elements, hours=hours) == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        # As cheap as the others; behind them.
        (4, [("Mon 23:00", "04:00")]),
        # Dearer, behind them; else as late as can be.
        (6, [("Mon 23:00", "06:00")]),
        (7, [("Mon 20:00", "21:00"), ("Mon 23:00", "06:00")]),
        (9, [("Mon 20:00", "06:00")]),
        (11, [("Mon 20:00", "07:00")]),
    ],
)
def test_an_hour_in_reserve(hours: float, expected: list[tuple[str, str]]) -> None:
    assert spans(NIGHT, DAY, hours=hours, reserve_hours=1) == expected


def test_an_hour_that_comes_twice_is_there_twice() -> None:
    """When summer time ends, 02:00 to 03:00 comes twice."""
    evening = datetime(2025, 10, 25, 22, 0, tzinfo=timezone.utc)
    cheap = element("ENERGY", 0.2, start_time="02:00", end_time="03:00")
    course = Course(evening, 0, 10_000)
    found = cheapest_spans(
        compile_tariff(tariff("T", cheap, DAY)),
        ZONE,
        course,
        evening,
        evening + timedelta(hours=8),
        hours=2,
    )
    assert found == [(evening + timedelta(hours=2), evening + timedelta(hours=4))]
