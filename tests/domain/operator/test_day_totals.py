"""What the charts of days are drawn from: each day once, in the operator's zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from db_interface.database import Database
from domain.operator import day_totals
from domain.operator.day_totals import DAY_TOTALS, DAYS, Billed, Day, DayTotals
from domain.operator.fleet_samples import SAMPLES, FleetSampling, Share
from tests.clock import Clock
from tests.conftest import Loop

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2025, 6, 15, 10, tzinfo=timezone.utc)  # in Berlin
MIDNIGHT = datetime(2025, 6, 14, 22, tzinfo=timezone.utc)


class Books:
    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop = db, loop
        db.clock = self.clock = Clock(NOON)
        self.totals = DayTotals(db, BERLIN)
        self._number = 0

    def bill(
        self, at: datetime, kwh: float, incl: float, currency: str = "EUR", **more: object
    ) -> None:
        self._number += 1
        fields = {
            "currency": currency,
            "total_energy": kwh,
            "total_cost": {"excl_vat": incl / 2, "incl_vat": incl},
            **more,
        }
        row = {"_id": f"c{self._number}", "seq": self._number, "last_updated": at, "fields": fields}
        self._insert("cdrs", row)

    def begin(self, at: datetime) -> None:
        self._number += 1
        row = {"_id": f"s{self._number}", "created": at, "cp_id": "CP", "connector_id": "1"}
        self._insert("charging_sessions", row)

    def _insert(self, collection: str, row: dict[str, object]) -> None:
        self.loop.run(_inserted(self.db, collection, row))

    def look(self) -> list[Day]:
        days, whole = self.loop.run(self.totals.latest())
        assert whole
        return days

    def kept(self) -> dict[str, int]:
        rows = self.loop.run(DAY_TOTALS.of(self.db).find({}))
        return {row["_id"]: row["cdrs"] for row in rows}


async def _inserted(db: Database, collection: str, row: dict[str, object]) -> None:
    await db.client[db.name][collection].insert_one(row)


@pytest.fixture
def books(db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Books:
    monkeypatch.setattr(day_totals, "FILL_WITHIN_S", 3600.0)
    return Books(db, loop)


def test_a_day_begins_at_the_operators_midnight_and_credits_are_taken_off(books: Books) -> None:
    second = timedelta(seconds=1)
    books.bill(MIDNIGHT - second, 7, 3.5)
    books.bill(MIDNIGHT, 10, 5)
    books.bill(NOON, 4, 2, credit=False)
    books.bill(NOON, 4, -2, credit=True)
    books.bill(NOON, 1, 9, "SEK")
    for at in (MIDNIGHT - second, MIDNIGHT, NOON - second):
        books.begin(at)

    *_, yesterday, today = days = books.look()
    assert [day.day for day in days] == [
        date(2025, 6, 15) - timedelta(days=back) for back in range(DAYS - 1, -1, -1)
    ]
    assert (yesterday.billed, yesterday.sessions) == (Billed(1, 7.0, {"EUR": 3.5}), 1)
    assert (today.billed, today.sessions) == (Billed(4, 11.0, {"EUR": 5.0, "SEK": 9.0}), 2)


def test_a_day_that_is_over_is_added_up_once_and_one_that_may_still_grow_is_not_kept(
    books: Books,
) -> None:
    books.bill(MIDNIGHT - timedelta(hours=1), 7, 3.5)
    books.clock.at = MIDNIGHT + timedelta(minutes=5)
    assert books.look()[-2].billed.cdrs == 1
    assert "Europe/Berlin 2025-06-14" not in books.kept()
    books.clock.at = NOON
    assert books.look()[-2].billed.cdrs == 1
    assert books.kept()["Europe/Berlin 2025-06-14"] == 1
    assert len(books.kept()) == DAYS - 1

    books.bill(MIDNIGHT - timedelta(hours=2), 7, 3.5)  # nobody makes one for the past
    assert books.look()[-2].billed.cdrs == 1
    assert DayTotals(books.db, ZoneInfo("UTC")).begin_of(date(2025, 6, 14)) > MIDNIGHT - timedelta(
        days=1
    )


def test_today_grows_hour_by_hour_and_what_is_over_is_not_read_again(books: Books) -> None:
    books.bill(MIDNIGHT + timedelta(minutes=30), 1, 1)
    assert books.look()[-1].billed.cdrs == 1
    books.bill(MIDNIGHT + timedelta(minutes=40), 1, 1)  # nobody makes one for the past
    books.bill(NOON - timedelta(minutes=3), 1, 1)
    assert books.look()[-1].billed == Billed(2, 2.0, {"EUR": 2.0})
    books.clock.advance(3 * 3600)
    books.bill(books.clock.at - timedelta(seconds=1), 1, 1)
    assert books.look()[-1].billed.cdrs == 3
    books.clock.advance(12 * 3600)
    assert (books.look()[-1].day, books.look()[-1].billed) == (date(2025, 6, 16), Billed())
    assert books.look()[-2].billed.cdrs == 4


def test_nobody_waits_for_a_month_that_was_never_added_up(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_totals, "FILL_WITHIN_S", -1.0)
    days, whole = books.loop.run(books.totals.latest())
    assert ([day.day for day in days], whole) == ([date(2025, 6, 15)], False)


def test_uptime_and_utilization_are_shares_of_the_samples(books: Books) -> None:
    async def charge_points(**counts: int) -> None:
        points = books.db.client[books.db.name]["charge_points"]
        await points.delete_many({})
        for status, number in counts.items():
            await points.insert_many(
                [{"_id": f"{status} {n}", "ocpi_status": status} for n in range(number)]
            )

    sampling = FleetSampling(books.db)
    books.loop.run(charge_points(AVAILABLE=2, CHARGING=1, UNKNOWN=1, REMOVED=3))
    assert books.loop.run(sampling.round())
    assert not books.loop.run(sampling.round())  # the slot has one
    books.clock.advance(300)
    books.loop.run(charge_points(CHARGING=4))
    assert books.loop.run(FleetSampling(books.db).round())

    assert len(books.loop.run(SAMPLES.of(books.db).find({}))) == 2
    books.clock.advance(1)
    fleet = books.look()[-1].fleet
    assert fleet == Share(counted=8, up=7, charging=5)
    assert (fleet.uptime_percent, fleet.utilization_percent) == (87.5, 62.5)
    assert Share().uptime_percent is None
