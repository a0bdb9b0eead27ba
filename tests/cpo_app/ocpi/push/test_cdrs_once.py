"""A CDR reaches a peer once, however slow the peer is and whatever becomes of the sender.

Here a request may take 1 s, and a lease 3 s: a peer is asked 4 s after an unclear POST, and
once more a second later.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from db_interface.transaction import Tx
from domain.objects.cdrs import add_cdr
from domain.outbox import deliveries
from domain.outbox.marks import MARKS, mark_everything, mark_id
from domain.platform_facts import note_restored
from domain.times import format_datetime
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import cdr
from tests.cpo_app.ocpi.push.receiving_emsp import Got, Receiver
from tests.cpo_app.ocpi.push.test_crashes import driver, the_lease_ends


def slow(got: Got) -> str | None:
    return "slow" if got.method == "POST" else None


def request_ids(emsp: Receiver) -> list[str]:
    return [got.headers["x-request-id"] for got in emsp.of("POST", "cdrs")]


@pytest.mark.parametrize("slow_s", [3.0, 4.5])
def test_a_peer_that_is_slower_than_we_wait_gets_one_post(house: House, slow_s: float) -> None:
    emsp, _ = house.peer(fault=slow, slow_s=slow_s)
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: emsp.cdrs and not house.marks())
    assert len(emsp.of("POST")) == 1


def test_a_repeat_bears_the_request_id_of_the_first(house: House) -> None:
    def loses_the_first(got: Got) -> str | None:
        return "hang" if got.method == "POST" and not emsp.of("POST") else None

    emsp, _ = house.peer(fault=loses_the_first)
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: emsp.cdrs and not house.marks())
    first, second = request_ids(emsp)
    assert first == second
    assert len(emsp.of("GET")) == 4, "asked twice, in both usual places"


def test_what_the_peer_has_answered_is_another_request_next_time(house: House) -> None:
    """Who keeps answers by request id would refuse it for ever."""

    def refuses_the_first(got: Got) -> str | None:
        return "ocpi 2001" if got.method == "POST" and not emsp.of("POST") else None

    emsp, peer_id = house.peer(fault=refuses_the_first)
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until(lambda: house.held_back(peer_id))
    peer = house.loop.run(house.peers.get(peer_id))
    assert house.loop.run(mark_everything(house.store, peer.document, ("cdrs",))) == 1
    house.until_nothing_is_left()
    first, second = request_ids(emsp)
    assert first != second


@contextlib.contextmanager
def killed(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGKILL)
    yield


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@pytest.mark.processes
@pytest.mark.parametrize("struck", [killed, stopped])
def test_a_sender_that_is_struck_in_the_middle_of_a_post(
    house: House, store_url: str, struck: Callable[[int], contextlib.AbstractContextManager[None]]
) -> None:
    emsp, _ = house.peer(fault=slow, slow_s=3.0)
    with driver(store_url, 1) as process:
        emsp.wait_until(lambda: emsp.of("POST"), 40)
        with struck(process.pid):
            the_lease_ends(house)
            house.push()
            house.until(lambda: emsp.cdrs and not house.marks())
        process.kill()
    assert len(request_ids(emsp)) == 1


def test_a_location_at_another_host_is_kept_and_never_asked_with_our_token(house: House) -> None:
    def loses_the_second(got: Got) -> str | None:
        second = got.method == "POST" and got.json()["id"] == "C2"
        return "after reset" if second and len(emsp.of("POST")) == 1 else None

    emsp, _ = house.peer(location_of_cdrs="http://127.0.0.1:9/cdrs/{id}")
    house.push()
    house.publish("cdrs", cdr("C1"))
    house.until_nothing_is_left()
    emsp.fault = loses_the_second
    house.publish("cdrs", cdr("C2"))
    house.until_nothing_is_left()
    assert emsp.of("GET", "cdrs"), "asked where it has registered"
    assert len(emsp.of("POST")) == 2


def restored(house: House, emsp: Receiver, **lost: object) -> None:
    """The store has come out of a backup, and the session of this CDR is of before; the peer has
    what was made of it then, if anything."""
    if lost:
        emsp.cdrs["C1"] = [json.dumps({**BILL, **lost}).encode()]
    began = house.db.now() - timedelta(hours=1)
    house.loop.run(note_restored(house.db))

    async def work(tx: Tx) -> None:
        await add_cdr(house.store, {**BILL, "start_date_time": format_datetime(began)}, tx)

    house.loop.run(house.store.transact(work))

    async def long_ago() -> None:
        past = {"posting": house.db.now() - timedelta(hours=1)}
        await MARKS.of(house.db).update_many({"posting": {"$exists": True}}, {"$set": past})

    house.loop.run(long_ago())


BILL: dict[str, Any] = {
    **cdr("C1", "S1").fields,
    "currency": "EUR",
    "total_energy": 10.0,
    "total_cost": {"excl_vat": 4.5},
}


def test_after_a_restore_the_lost_twin_at_the_peer_is_found_and_nothing_is_sent(
    house: House,
) -> None:
    emsp, peer_id = house.peer()
    restored(house, emsp, remark="made before the disk died")
    house.push()
    house.until_nothing_is_left()
    assert emsp.of("POST") == []
    receipts = house.loop.run(deliveries.proven(house.db, [mark_id(peer_id, "cdrs", "nl/evc/c1")]))
    assert receipts


def test_a_twin_that_bills_otherwise_is_shown_and_not_sent_beside(house: House) -> None:
    emsp, peer_id = house.peer()
    restored(house, emsp, total_energy=12.0, total_cost={"excl_vat": 5.4})
    house.push()
    house.until(lambda: house.held_back(peer_id))
    (held,) = house.held_back(peer_id)
    assert "of this id with other energy or cost, of before the store was restored" in held.reason
    assert emsp.of("POST") == []


def test_one_that_the_peer_has_never_had_is_sent_once(house: House) -> None:
    emsp, _ = house.peer()
    restored(house, emsp)
    house.push()
    house.until(lambda: emsp.cdrs and not house.marks())
    assert len(emsp.of("POST")) == 1
    assert emsp.got[0].method == "GET", "asked for first"


def test_a_session_that_began_after_the_restore_has_no_twin(house: House) -> None:
    emsp, _ = house.peer()
    house.loop.run(note_restored(house.db))
    later = format_datetime(house.db.now() + timedelta(seconds=5))

    async def work(tx: Tx) -> None:
        await add_cdr(house.store, {**BILL, "start_date_time": later}, tx)

    house.loop.run(house.store.transact(work))
    house.push()
    house.until_nothing_is_left()
    assert [got.method for got in emsp.got] == ["POST"]
