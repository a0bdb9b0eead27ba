"""How transactions are found again, and which of their events were here before."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.ocpp import transactions
from domain.ocpp.energy_counter import started
from domain.ocpp.transactions import MAX_GAPS, TRANSACTIONS, Transaction, has_seen, with_seen
from tests.conftest import Loop


def made(
    tx: Tx,
    transaction_id: int | str,
    station: str = "CP-007",
    connector_id: str = "1",
    number: int = 0,
) -> Transaction:
    return transactions.new(
        tx,
        station=station,
        transaction_id=transaction_id,
        cp_id="CP-007",
        evse=1,
        connector_id=connector_id,
        counter=started(tx.now, 0.0),
        told_at=tx.now,
        number=number,
    )


def kept(db: Database, loop: Loop, *wanted: Mapping[str, Any]) -> list[Transaction]:
    async def work(tx: Tx) -> list[Transaction]:
        found = [made(tx, **one) for one in wanted]
        for one in found:
            await transactions.insert(tx, one)
        return found

    return loop.run(DbInterface(db).transact(work))


@given(st.lists(st.integers(0, 60)))
def test_an_event_was_seen_once_it_was_here_and_not_before(numbers: list[int]) -> None:
    seen: list[list[int]] = []
    for index, number in enumerate(numbers):
        assert has_seen(seen, number) == (number in numbers[:index])
        seen = with_seen(seen, number)

    assert all(low <= high for low, high in seen)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(seen))


def test_gaps_are_remembered_up_to_a_bound_and_the_latest_longest() -> None:
    seen: list[list[int]] = []
    for number in range(0, 1000, 2):
        seen = with_seen(seen, number)

    assert len(seen) == MAX_GAPS
    assert not has_seen(seen, 997)
    assert has_seen(seen, 1)


def test_of_a_name_that_was_given_away_anew_the_latest_is_found(db: Database, loop: Loop) -> None:
    first, second, _other = kept(
        db,
        loop,
        {"transaction_id": "T-1"},
        {"transaction_id": "T-1", "number": 1},
        {"transaction_id": "T-1", "station": "CP-008"},
    )

    async def story() -> None:
        found = await transactions.find(db, "CP-007", "T-1")
        assert found is not None
        assert found["_id"] == second["_id"] != first["_id"]
        assert await transactions.find(db, "CP-007", None) is None
        wanted = {"CP-007": "T-1", "CP-008": "T-2", "CP-009": "T-1"}
        assert {
            station: one["_id"] for station, one in (await transactions.some(db, wanted)).items()
        } == {"CP-007": second["_id"]}

    loop.run(story())


def test_what_ran_before_at_the_connector_runs_no_more(db: Database, loop: Loop) -> None:
    before, after, beside = kept(
        db,
        loop,
        {"transaction_id": 1},
        {"transaction_id": 2},
        {"transaction_id": 3, "connector_id": "2"},
    )

    async def story() -> None:
        await DbInterface(db).transact(lambda tx: transactions.supersede(tx, after))
        running = await transactions.running_at(db, "CP-007", "1")
        other = await transactions.running_at(db, "CP-007", "2")
        assert running is not None and running["_id"] == after["_id"]
        assert other is not None and other["_id"] == beside["_id"]
        left = await transactions.find(db, "CP-007", before["transaction_id"])
        assert left is not None and left["superseded"] and left["forget"] > db.now()

    loop.run(story())


QUERIES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, int]]] = {
    "by name": ({"station": "CP-007", "transaction_id": 5}, {"number": -1}),
    "by start": ({"station": "CP-007", "start_key": "k"}, {"start_number": -1}),
    "running": ({"cp_id": "CP-007", "ended": False, "superseded": False}, {"created": -1}),
    "of a session": ({"session_id": "S"}, {"created": -1}),
    "of a station": ({"station": "CP-007"}, {"created": -1}),
    "of many": (
        {"station": {"$in": ["CP-007", "CP-008"]}, "transaction_id": {"$in": [5, 6]}},
        {"number": 1},
    ),
}


@pytest.mark.parametrize("query", QUERIES)
def test_no_message_scans_the_collection(db: Database, loop: Loop, query: str) -> None:
    kept(db, loop, *({"transaction_id": number} for number in range(20)))
    match, sort = QUERIES[query]

    async def plan() -> str:
        cursor = db[TRANSACTIONS.name].find(match).sort(list(sort.items()))
        return str((await cursor.explain())["queryPlanner"]["winningPlan"])

    found = loop.run(plan())
    assert "IXSCAN" in found and "COLLSCAN" not in found
