"""The engine against a second opinion: the same session counted minute by minute.

The count below shares no code with the engine: every minute of the session is looked at by itself,
in the standard library's local time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.pricing.sessions import cdr, component, element, period, price, tariff
from tests.drawn import drawn

WH_PER_MINUTE = 50
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
clocks = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
dates = st.dates(date(2026, 3, 27), date(2026, 3, 31)).map(date.isoformat)
half_hours = st.integers(0, 120).map(lambda n: n * 1800)
RESTRICTIONS: dict[str, st.SearchStrategy[Any]] = {
    "start_time": clocks,
    "end_time": clocks,
    "start_date": dates,
    "end_date": dates,
    "day_of_week": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
    "min_duration": half_hours,
    "max_duration": half_hours,
    "min_kwh": st.integers(0, 100),
    "max_kwh": st.integers(0, 100),
}


def applies(restrictions: dict[str, Any], local: datetime, minute: int) -> bool:
    used_wh = minute * WH_PER_MINUTE
    clock, start, end = f"{local:%H:%M}", "00:00", "24:00"
    start = restrictions.get("start_time", start)
    end = restrictions.get("end_time", end).replace("00:00", "24:00")
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    return (
        inside
        and restrictions.get("start_date", "0") <= f"{local:%Y-%m-%d}"
        and f"{local:%Y-%m-%d}" < restrictions.get("end_date", "9")
        and DAYS[local.weekday()] in restrictions.get("day_of_week", DAYS)
        and restrictions.get("min_duration", 0) <= minute * 60
        and minute * 60 < restrictions.get("max_duration", 10**9)
        and restrictions.get("min_kwh", 0) * 1000 <= used_wh
        and used_wh < restrictions.get("max_kwh", 10**9) * 1000
    )


@st.composite
def restricted(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(RESTRICTIONS)), max_size=4, unique=True))
    return {name: draw(RESTRICTIONS[name]) for name in names}


@settings(max_examples=drawn(30))
@given(
    st.lists(restricted(), min_size=1, max_size=5),
    st.integers(0, 3 * 1440),
    st.integers(1, 2000),
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Asia/Kathmandu"]),
)
def test_each_minute_is_priced_by_the_first_element_that_applies_to_it(
    elements: list[dict[str, Any]], begin: int, minutes: int, zone: str
) -> None:
    start = datetime(2026, 3, 28, tzinfo=timezone.utc) + timedelta(minutes=begin)
    expected = Decimal(0)
    for minute in range(minutes):
        local = (start + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
        first = next((i for i, r in enumerate(elements) if applies(r, local, minute)), None)
        if first is not None:
            expected += Decimal(WH_PER_MINUTE * (first + 1)) / 1000

    session = cdr(
        start + timedelta(minutes=minutes), period(start, ENERGY=minutes * WH_PER_MINUTE / 1000)
    )
    stepped = tariff(*(element(component("ENERGY", i + 1), **r) for i, r in enumerate(elements)))
    assert price(session, stepped, zone).total_cost.excl == expected
