"""Marks: written with the change or not at all, one for each object and peer that it concerns."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from db_interface.bulk import upsert_each
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox import due_marks, marks
from domain.outbox.marks import mark_everything
from domain.outbox.publishing import publish
from domain.peers.statuses import BLOCKED, DISCONNECTED, INVITED, SUSPENDED
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House, connected
from tests.cpo_app.ocpi.push.objects import (
    cdr,
    evse,
    location,
    owned,
    private,
    session,
    tariff,
)

NOW = datetime.now(timezone.utc)
LATER = "2024-05-01T11:00:00Z"


@pytest.fixture
def house(db: Database, loop: Loop) -> Iterator[House]:
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)


class NoEmsp:
    """A peer's endpoints, without a server behind them."""

    def endpoints(self, *modules: str, slash: str = "") -> list[dict[str, str]]:
        return [
            {"identifier": module, "role": "RECEIVER", "url": f"https://peer.example/{module}"}
            for module in modules or ("locations", "tariffs", "sessions", "cdrs")
        ]


def peer(house: House, *parties: str, **facts: Any) -> str:
    return house.loop.run(connected(house.peers, NoEmsp(), *parties, **facts))


def marked(house: House) -> set[tuple[str, str]]:
    return {(mark["peer_id"], mark["key"]) for mark in house.marks()}


def test_a_change_that_is_rolled_back_marks_nobody(house: House) -> None:
    peer(house, "DE*TNM")

    async def work(tx: Tx) -> None:
        await publish(house.store, "tariffs", tariff("T1"), tx)
        raise RuntimeError("in the last moment")

    with pytest.raises(RuntimeError):
        house.loop.run(DbInterface(house.db).transact(work))

    assert house.marks() == []
    assert house.loop.run(house.store.get("tariffs", "nl/evc/t1")) is None


def test_what_one_transaction_changes_is_marked_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer_id, sessions_only = peer(house, "DE*TNM"), peer(house, "FR*ABC")
    row = {"identifier": "sessions", "role": "RECEIVER", "url": "https://peer.example/sessions"}
    house.loop.run(house.peers.set(sessions_only, NOW, endpoints=[row]))
    written: list[int] = []

    async def counted(documents: Any, changes: Any) -> None:
        written.append(len(changes))
        await upsert_each(documents, changes)

    monkeypatch.setattr(marks, "upsert_each", counted)

    async def work(tx: Tx) -> None:
        for module, obj in (
            ("locations", owned_location(location("LOC1"))),
            ("sessions", session("S1")),
            ("cdrs", cdr("C1")),
        ):
            await publish(house.store, module, obj, tx)

    house.loop.run(house.store.transact(work))
    assert marked(house) == {(peer_id, f"nl/evc/{id_}") for id_ in ("loc1", "s1", "c1")}
    assert written == [3]


@pytest.mark.parametrize(
    ("status", "is_marked"),
    [(SUSPENDED, True), (BLOCKED, False), (INVITED, False), (DISCONNECTED, False)],
)
def test_who_is_marked(house: House, status: str, is_marked: bool) -> None:
    peer_id = peer(house, "DE*TNM")
    house.loop.run(house.peers.set(peer_id, NOW, status=status))
    house.locations(location("LOC1"))
    assert bool(house.marks()) is is_marked


def test_each_peer_is_marked_for_what_it_may_see(house: House) -> None:
    first, second = peer(house, "DE*TNM"), peer(house, "FR*ABC")
    narrowed = peer(house, "BE*XYZ")
    house.loop.run(house.peers.set(narrowed, NOW, settings={"narrowed": True}))

    house.locations(location("OPEN"), location("GUESTS", publish=False))
    house.publish("locations", private(location("PRIVATE")))
    house.publish("sessions", session("S1"))
    house.publish("cdrs", cdr("C1"))
    house.publish("sessions", owned(dict(session("S2").fields), ""))

    assert marked(house) == {
        (first, "nl/evc/open"),
        (second, "nl/evc/open"),
        (narrowed, "nl/evc/open"),
        (first, "nl/evc/guests"),
        (second, "nl/evc/guests"),
        (first, "nl/evc/s1"),
        (first, "nl/evc/c1"),
    }


def test_changes_of_one_object_share_a_mark(house: House) -> None:
    peer(house, "DE*TNM")
    house.locations(location("LOC1"))
    (first,) = house.marks()
    house.locations(location("LOC1", name="There"))
    (second,) = house.marks()
    assert second["version"] != first["version"]
    assert second["since"] == first["since"] and second["changed"] >= first["changed"]


def test_parts_add_up_until_the_whole_has_changed(house: House) -> None:
    house.locations(location("LOC1"))
    peer(house, "DE*TNM")

    house.locations(location("LOC1", at=LATER, evses=[evse("E1"), evse("E2", "CHARGING")]))
    house.locations(
        location("LOC1", at=LATER, evses=[evse("E1", "BLOCKED"), evse("E2", "CHARGING")])
    )
    (mark,) = house.marks()
    assert sorted(mark["parts"]) == ["evse:E1", "evse:E2"] and not mark.get("whole")

    house.locations(location("LOC1", at=LATER, name="There"))
    (mark,) = house.marks()
    assert mark["whole"] is True


def test_a_change_brings_a_held_mark_forward(house: House) -> None:
    peer_id = peer(house, "DE*TNM")
    house.locations(location("LOC1"))
    far = datetime(2099, 1, 1, tzinfo=timezone.utc)

    def due() -> list[due_marks.Mark]:
        return house.loop.run(due_marks.due(house.db, peer_id, datetime.now(timezone.utc), 10))

    (mark,) = due()
    house.loop.run(due_marks.hold(house.db, mark, far, "no", NOW, refused=True))
    assert due() == []
    house.locations(location("LOC1", name="There"))
    assert [mark.attempts for mark in due()] == [0]


def test_a_mark_is_only_taken_away_if_its_object_stood_still(house: House) -> None:
    peer_id = peer(house, "DE*TNM")
    house.locations(location("LOC1"))
    (before,) = house.loop.run(due_marks.due(house.db, peer_id, datetime.now(timezone.utc), 10))
    house.locations(location("LOC1", name="There"))

    assert house.loop.run(due_marks.clear(house.db, [(before.id, before.version)])) == 0
    (now,) = house.loop.run(due_marks.due(house.db, peer_id, datetime.now(timezone.utc), 10))
    assert house.loop.run(due_marks.clear(house.db, [(now.id, now.version)])) == 1
    assert house.marks() == []


def test_changes_at_once_in_many_tasks_all_leave_their_mark(house: House) -> None:
    peer(house, "DE*TNM")
    peer(house, "FR*ABC")

    async def change(number: int) -> None:
        obj = tariff(f"T{number % 3}", number)
        await DbInterface(house.db).transact(lambda tx: publish(house.store, "tariffs", obj, tx))

    async def all_at_once() -> None:
        await asyncio.gather(*(change(number) for number in range(30)))

    house.loop.run(all_at_once())
    assert len(house.marks()) == 6


def test_a_change_under_way_while_a_peer_is_connected_reaches_it(house: House) -> None:
    """It did not know of the peer, and the peer may have pulled before it was committed."""
    emsp = house.emsp()
    present = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    peer_ids: list[str] = []

    async def work(held: Any) -> None:
        obj = owned_location(location("LOC1", at=present))
        await publish(house.store, "locations", obj, held)
        if not peer_ids:
            peer_ids.append(await connected(house.peers, emsp, "DE*TNM"))

    house.loop.run(DbInterface(house.db).transact(work))
    assert house.marks() == []
    house.push()

    async def turn_the_clock() -> bool:
        outcome = await house.db["push_lanes"].update_one(
            {"_id": peer_ids[0], "settles_at": {"$exists": True}},
            [{"$set": {"settles_at": "$$NOW"}}],
        )
        return bool(outcome.modified_count)

    house.until(lambda: house.loop.run(turn_the_clock()))
    emsp.wait_until(lambda: "LOC1" in emsp.held("locations"))


def test_everything_is_marked_by_module_and_in_batches(house: House) -> None:
    house.publish_all("tariffs", [tariff(f"T{number}") for number in range(30)])
    house.locations(location("LOC1"))
    peer_id = peer(house, "DE*TNM")

    document = house.loop.run(house.peers.get(peer_id)).document
    assert house.loop.run(mark_everything(house.store, document, ("tariffs",))) == 30
    assert house.loop.run(mark_everything(house.store, document)) == 31
    assert len(house.marks()) == 31


def test_a_change_of_status_goes_before_sessions_that_go_on(house: House) -> None:
    peer_id = peer(house, "DE*TNM")
    house.publish("locations", owned_location(location("LOC1")))
    house.publish("sessions", session("S1"))
    house.loop.run(marks.MARKS.of(house.db).delete_many({}))

    house.publish("sessions", session("S1", kwh=2.0))
    house.publish("tariffs", tariff("T1"))
    house.publish("sessions", session("S2"))
    changed = location("LOC1", evses=[evse("E1", "CHARGING", LATER), evse("E2")], at=LATER)
    house.publish("locations", owned_location(changed))

    def in_line() -> list[str]:
        now = house.db.now()
        found = house.loop.run(due_marks.due(house.db, peer_id, now, 10))
        return [mark.key.rpartition("/")[2] for mark in found]

    assert in_line() == ["loc1", "t1", "s2", "s1"]

    # Nobody waits for ever: who has waited for minutes is first.
    waited = {"$set": {"due": house.db.now() - 5 * marks.AHEAD}}
    house.loop.run(marks.MARKS.of(house.db).update_one({"key": "nl/evc/s1"}, waited))
    assert in_line() == ["s1", "loc1", "t1", "s2"]
