"""What holds for every tariff and every session."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.pricing import ChargingPeriod, Priced, price_session
from domain.pricing.explanation import COST_FIELDS
from tests.domain.pricing.sessions import element, tariff
from tests.drawn import drawn

ZONES = ("Europe/Amsterdam", "UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
KINDS = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")
MINUTE = timedelta(minutes=1)

prices = st.decimals(0, 20, places=4)
steps = st.sampled_from([1, 60, 100, 300, 900, 1000])
vats = st.none() | st.decimals(0, 25, places=1)
# Around the ends of summer time in Europe and America, where local time is at its oddest.
starts = st.sampled_from(
    [
        datetime(2026, 3, 28, 22, tzinfo=timezone.utc),
        datetime(2026, 10, 24, 21, 30, tzinfo=timezone.utc),
        datetime(2026, 3, 8, 5, tzinfo=timezone.utc),
        datetime(2026, 6, 5, 19, 15, tzinfo=timezone.utc),
    ]
)


@st.composite
def components(draw: st.DrawFn) -> list[dict[str, Any]]:
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True))
    return [
        {
            "type": kind,
            "price": draw(prices),
            "step_size": draw(steps),
            **({} if (vat := draw(vats)) is None else {"vat": vat}),
        }
        for kind in kinds
    ]


@st.composite
def restrictions(draw: st.DrawFn) -> dict[str, Any]:
    clock = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 30]))
    days = st.lists(st.sampled_from(["FRIDAY", "SATURDAY", "SUNDAY"]), min_size=1, unique=True)
    possible: dict[str, st.SearchStrategy[Any]] = {
        "start_time": clock,
        "end_time": clock,
        "day_of_week": days,
        "end_date": st.sampled_from(["2026-03-29", "2026-06-06", "2026-10-25"]),
        "min_kwh": st.integers(0, 20),
        "max_kwh": st.integers(1, 40),
        "min_duration": st.integers(0, 20_000),
        "max_duration": st.integers(1, 40_000),
    }
    names = draw(st.lists(st.sampled_from(sorted(possible)), max_size=3, unique=True))
    return {name: draw(possible[name]) for name in names}


@st.composite
def tariffs(draw: st.DrawFn) -> dict[str, Any]:
    elements = [
        element(*draw(components()), **draw(restrictions())) for _ in range(draw(st.integers(1, 4)))
    ]
    limits = {
        name: {"excl_vat": draw(prices)}
        for name in draw(st.lists(st.sampled_from(["min_price", "max_price"]), unique=True))
    }
    return tariff(*elements, **limits)


Session = tuple[list[ChargingPeriod], datetime]


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Stretches of whole minutes: reserved, charging or parked; energy to four decimals."""
    moment = draw(starts)
    periods = []
    for _ in range(draw(st.integers(1, 5))):
        minutes = draw(st.integers(1, 400))
        kind = draw(st.sampled_from(["TIME", "TIME", "PARKING_TIME"]))
        volumes = {kind: Decimal(minutes) / 60}
        if kind == "TIME":
            volumes["ENERGY"] = draw(st.decimals(0, 50, places=4))
        periods.append(ChargingPeriod(moment, volumes))
        moment += minutes * MINUTE
    return periods, moment


def priced(session: Session, with_tariff: dict[str, Any], zone: str) -> Priced:
    periods, end = session
    return price_session(periods, [with_tariff], periods[0].start, end, zone)


@settings(max_examples=drawn(50))
@given(sessions(), tariffs(), st.sampled_from(ZONES))
def test_totals_are_their_explained_parts(
    session: Session, with_tariff: dict[str, Any], zone: str
) -> None:
    result = priced(session, with_tariff, zone)
    for field in COST_FIELDS:
        rows = [row for row in result.explanation if row.field == field]
        cost = result.costs.get(field)
        assert sum(row.excl_vat for row in rows) == (cost.excl if cost else 0)
        assert sum(row.incl_vat for row in rows) == (cost.incl if cost else 0)
    assert sum(row.excl_vat for row in result.explanation) == result.total_cost.excl
    assert sum(row.incl_vat for row in result.explanation) == result.total_cost.incl
    assert sum(row.quantity for row in result.explanation if row.dimension == "ENERGY") == (
        result.total_energy_kwh
    )


@settings(max_examples=drawn(50))
@given(sessions(), tariffs(), st.sampled_from(ZONES), st.data())
def test_a_split_where_nothing_changes_does_not_change_the_price(
    session: Session, with_tariff: dict[str, Any], zone: str, data: st.DataObject
) -> None:
    whole = priced(session, with_tariff, zone)
    periods, end = session
    pieces = [piece.period for piece in whole.pieces]
    unchanging = [index for index in range(len(periods)) if pieces.count(index) == 1]
    assume(unchanging)
    index = data.draw(st.sampled_from(unchanging))
    first = periods[index]
    last = periods[index + 1].start if index + 1 < len(periods) else end
    length = (last - first.start) // MINUTE
    assume(length > 1)
    cut = data.draw(st.integers(1, length - 1))
    share = Decimal(cut) / length
    before = {kind: round(volume * share, 4) for kind, volume in first.dimensions.items()}
    after = {kind: volume - before[kind] for kind, volume in first.dimensions.items()}
    parts = [ChargingPeriod(first.start, before), ChargingPeriod(first.start + cut * MINUTE, after)]

    split = priced(([*periods[:index], *parts, *periods[index + 1 :]], end), with_tariff, zone)
    assert split.totals() == whole.totals()


@settings(max_examples=drawn(50))
@given(sessions(), components(), st.sampled_from(ZONES), st.data())
def test_more_energy_or_time_never_costs_less(
    session: Session, of_element: list[dict[str, Any]], zone: str, data: st.DataObject
) -> None:
    one_element = tariff(element(*of_element))
    periods, end = session
    less = priced(session, one_element, zone).total_cost
    last = periods[-1]
    minutes = data.draw(st.integers(0, 300))
    more_volumes = {
        kind: volume + (Decimal(minutes) / 60 if kind != "ENERGY" else data.draw(prices))
        for kind, volume in last.dimensions.items()
    }
    longer = [*periods[:-1], ChargingPeriod(last.start, more_volumes)]
    more = priced((longer, end + minutes * MINUTE), one_element, zone).total_cost
    assert more.excl >= less.excl
    assert more.incl >= less.incl


@pytest.fixture
def machine_zone() -> Iterator[Any]:
    before = os.environ.get("TZ")

    def set_zone(name: str | None) -> None:
        if name is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = name
        time.tzset()

    yield set_zone
    set_zone(before)


def test_nothing_depends_on_the_machines_time_zone(machine_zone: Any) -> None:
    @settings(max_examples=drawn(20))
    @given(sessions(), tariffs(), st.sampled_from(ZONES))
    def same_everywhere(session: Session, with_tariff: dict[str, Any], zone: str) -> None:
        found = []
        for name in ("UTC", "Pacific/Auckland", "America/St_Johns"):
            machine_zone(name)
            result = priced(session, with_tariff, zone)
            found.append((result.totals(), result.explanation))
        assert found[0] == found[1] == found[2]

    same_everywhere()
