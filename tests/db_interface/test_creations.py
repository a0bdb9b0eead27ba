"""Creations do not meet: neither on a place in an order, nor on a number."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.order_of_creation import OrderOfCreation, first_place
from db_interface.pages import PageQuery
from db_interface.transaction import Tx
from tests.clock import Clock
from tests.conftest import Loop
from tests.db_interface.pulling import EVERYBODY, MODULE, write

NOW = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
MILLISECOND = timedelta(milliseconds=1)


def test_two_hundred_that_begin_at_once_are_made_without_repetitions(
    loop: Loop, db: Database
) -> None:
    store, tries = DbInterface(db), 0

    async def create(tx: Tx, number: int) -> None:
        nonlocal tries
        tries += 1
        await write(tx, f"S{number}", number)

    async def story() -> None:
        await store.transact(partial(create, number=0))
        await asyncio.gather(*(store.transact(partial(create, number=n)) for n in range(1, 201)))

    loop.run(story())
    # The first transactions of a part of a number make its counter, and may meet.
    assert tries <= 201 + 80
    page = loop.run(store.objects(MODULE).page(PageQuery([EVERYBODY], limit=250)))
    assert page.total == len(page.raws) == 201


def test_a_store_of_before_keeps_its_order_and_its_numbers(loop: Loop, db: Database) -> None:
    """Places from 1 on, one counter per audience: as earlier versions wrote them."""
    store = DbInterface(db)

    async def story() -> tuple[list[bytes], int]:
        for n in range(5):
            await store.transact(partial(write, object_id=f"T{n}", value=n))
        for n in range(3):
            await db[MODULE].update_one({"_id": f"de/cpo/t{n}"}, {"$set": {"seq": 3 - n}})
        await db["counts"].delete_many({})
        await db["counts"].insert_many(
            [
                {"_id": MODULE, "seq": 3},
                {"_id": f"{MODULE}/de*cpo/*", "module": MODULE, "owner": "de*cpo",
                 "audience": "*", "n": 5},
            ]
        )  # fmt: skip
        await store.transact(partial(write, object_id="T5", value=5))
        page = await store.objects(MODULE).page(PageQuery([EVERYBODY], limit=10))
        return page.raws, page.total

    raws, total = loop.run(story())
    values = [int(raw.split(b'"value":')[1].split(b",")[0]) for raw in raws]
    assert (values, total) == ([2, 1, 0, 3, 4, 5], 6)


def test_places_ascend_and_are_never_given_twice() -> None:
    one, other = OrderOfCreation(), OrderOfCreation()
    one.number, other.number = 1, 2
    given = [one.places(NOW, 3000), other.places(NOW, 10), one.places(NOW, 10)]
    given.append(one.places(NOW + MILLISECOND, 10))
    everything = [place for places in given for place in places]
    assert len(set(everything)) == len(everything)
    assert given[0] == sorted(given[0]) and given[0][-1] < given[2][0] < given[3][0]
    assert first_place(NOW) <= min(everything)
    assert max(everything) < first_place(NOW + 3 * MILLISECOND)
    assert first_place(datetime(2200, 1, 1, tzinfo=timezone.utc)) < 2**63


def test_a_place_lies_in_the_millisecond_of_its_stamp() -> None:
    """Whichever of two transactions writes first: a list that shows one's stamp shows its place."""
    order = OrderOfCreation()
    order.others_have_the_clock = True
    later, earlier = NOW + 16 * MILLISECOND, NOW
    order.places(later, 1)
    (place,) = order.places(earlier, 1)
    assert first_place(earlier) <= place < first_place(earlier + MILLISECOND)


def test_a_clock_of_its_own_may_be_turned_back() -> None:
    order = OrderOfCreation()
    (first,) = order.places(NOW, 1)
    (second,) = order.places(NOW - timedelta(hours=1), 1)
    assert first < second


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta()])
def test_a_clock_that_one_test_turned_holds_no_other_test_up(
    loop: Loop, db: Database, ahead: timedelta
) -> None:
    db.clock = Clock(NOW + ahead)

    async def create(tx: Tx) -> list[int]:
        assert tx.now == NOW + ahead
        return tx.in_flight.places(1)

    (place,) = loop.run(DbInterface(db).transact(create))
    assert first_place(NOW + ahead) <= place < first_place(NOW + ahead + MILLISECOND)
