"""Transactions under contention and without a server."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from db_interface import database
from db_interface.database import Database, StoreUnavailable
from db_interface.indexes import MADE_BEFOREHAND, ensure_indexes
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from tests.conftest import Loop


@pytest.mark.parametrize(
    ("code", "said"),
    [(112, "others' writes were in the way"), (251, "the server has ended the transaction")],
)
def test_why_a_transaction_was_tried_in_vain_is_said(code: int, said: str) -> None:
    error = OperationFailure("no", code, {"errorLabels": ["TransientTransactionError"]})
    database._end_unless_again(error, time.monotonic())
    with pytest.raises(StoreUnavailable, match=said):
        database._end_unless_again(error, time.monotonic() - database.RETRY_FOR_S)


def test_many_that_conflict_all_arrive_with_few_repetitions(loop: Loop, db: Database) -> None:
    tries = 0
    contenders = 60

    async def count_up(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        found = await db["things"].find_one({"_id": "one"}, session=tx.mongo)
        number = 0 if found is None else found["number"]
        await db["things"].update_one(
            {"_id": "one"}, {"$set": {"number": number + 1}}, upsert=True, session=tx.mongo
        )

    async def all_at_once() -> int:
        await asyncio.gather(*(DbInterface(db).transact(count_up) for _ in range(contenders)))
        return (await db["things"].find_one({"_id": "one"}))["number"]

    assert loop.run(all_at_once()) == contenders
    # Racing freely they would need hundreds.
    assert tries < 4 * contenders


def test_who_met_a_short_write_waits_for_nobody(loop: Loop, db: Database) -> None:
    tries = 0

    async def work(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        await db["things"].find_one({"_id": "one"}, session=tx.mongo)
        if tries == 1:
            await db["things"].update_one({"_id": "one"}, {"$inc": {"n": 1}})
        await db["things"].update_one({"_id": "one"}, {"$inc": {"n": 1}}, session=tx.mongo)

    async def while_another_has_its_turn() -> None:
        await db["things"].insert_one({"_id": "one", "n": 0})
        async with db._conflicted:
            await DbInterface(db).transact(work)

    loop.run(while_another_has_its_turn())
    assert tries == 2


def test_a_failed_transaction_lets_the_next_one_through(loop: Loop, db: Database) -> None:
    async def fail(tx: Tx) -> None:
        await db["things"].insert_one({"_id": "gone"}, session=tx.mongo)
        raise ValueError("changed my mind")

    async def succeed(tx: Tx) -> None:
        await db["things"].insert_one({"_id": "kept"}, session=tx.mongo)

    async def story() -> list[str]:
        with pytest.raises(ValueError, match="changed my mind"):
            await DbInterface(db).transact(fail)
        await DbInterface(db).transact(succeed)
        return [row["_id"] async for row in db["things"].find()]

    assert loop.run(story()) == ["kept"]


def test_a_line_of_log_waits_for_the_commit(
    loop: Loop, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store, logger = DbInterface(db), logging.getLogger("cpo.test")
    tries = 0

    async def beaten_twice(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        tx.say(logger.warning, "try %d", tries)
        await db["things"].find_one({"_id": "one"}, session=tx.mongo)
        if tries < 3:
            await db["things"].update_one({"_id": "one"}, {"$inc": {"n": 1}}, upsert=True)
        await db["things"].update_one({"_id": "one"}, {"$set": {"mine": 1}}, session=tx.mongo)
        assert caplog.messages == []

    async def fail(tx: Tx) -> None:
        tx.say(logger.warning, "this never happened")
        raise ValueError("changed my mind")

    async def story() -> None:
        await db["things"].insert_one({"_id": "one"})
        await store.transact(beaten_twice)
        with pytest.raises(ValueError, match="changed my mind"):
            await store.transact(fail)

    loop.run(story())
    assert (tries, caplog.messages) == (3, ["try 3"])


def test_without_a_server_a_transaction_says_so_in_time(loop: Loop) -> None:
    async def story() -> None:
        nowhere = Database.connect("mongodb://127.0.0.1:1/", timeout_ms=100)

        async def work(tx: Tx) -> None:
            await nowhere["things"].insert_one({"_id": 1}, session=tx.mongo)

        try:
            with pytest.raises(StoreUnavailable):
                await DbInterface(nowhere).transact(work)
        finally:
            nowhere.close()

    loop.run(story(), timeout_s=10)


def test_a_conflict_without_an_end_is_an_unavailable_store(
    loop: Loop, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RETRY_FOR_S", 0.2)

    async def add(session: Any, _: object = None) -> None:
        await db["counter"].update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)

    async def race() -> None:
        await db["counter"].insert_one({"_id": 1, "n": 0})
        async with await db.client.start_session() as abandoned:
            abandoned.start_transaction()
            await add(abandoned)
            with pytest.raises(StoreUnavailable, match="others' writes"):
                await db.run_in_transaction(add)
            await abandoned.abort_transaction()

    loop.run(race())


def test_a_long_transaction_is_not_beaten_by_short_ones_for_ever(loop: Loop, db: Database) -> None:
    store, begun = DbInterface(db), 0
    short_ones: list[asyncio.Task[None]] = []

    async def short(tx: Tx) -> None:
        await db["things"].update_one({"_id": "one"}, {"$inc": {"n": 1}}, session=tx.mongo)

    async def long(tx: Tx) -> None:
        nonlocal begun
        begun += 1
        assert begun < 10
        await db["things"].find_one({"_id": "one"}, session=tx.mongo)
        # Time enough for one that nobody keeps waiting.
        short_ones.append(asyncio.create_task(store.transact(short)))
        await asyncio.wait(short_ones[-1:], timeout=0.5)
        await db["things"].update_one({"_id": "one"}, {"$inc": {"n": 1000}}, session=tx.mongo)

    async def story() -> int:
        await db["things"].insert_one({"_id": "one", "n": 0})
        await store.transact(long)
        await asyncio.gather(*short_ones)  # they have waited, and come all the same
        return (await db["things"].find_one({"_id": "one"}))["n"]

    assert loop.run(story()) == 1000 + len(short_ones)


def test_the_first_transactions_of_a_store_meet_on_no_collection(loop: Loop, db: Database) -> None:
    """All that write to a collection which is not there would make it, and one could commit."""
    together, tries, written = 8, 0, 0

    async def write(tx: Tx, number: int) -> None:
        nonlocal tries, written
        tries += 1
        for name in MADE_BEFOREHAND:
            await db[name].insert_one({"_id": f"{number}"}, session=tx.mongo)
        written += 1
        while written < together:
            await asyncio.sleep(0)

    async def story() -> list[int]:
        for name in MADE_BEFOREHAND:
            await db[name].drop()
        await asyncio.gather(ensure_indexes(db), ensure_indexes(db))
        store = DbInterface(db)
        await asyncio.gather(
            *(store.transact(partial(write, number=number)) for number in range(together))
        )
        return [await db[name].count_documents({}) for name in MADE_BEFOREHAND]

    assert loop.run(story(), timeout_s=60) == [together] * len(MADE_BEFOREHAND)
    assert tries == together
