"""One process at a time has a peer's lane; a lease that was lost meanwhile is made good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.push import lane as lanes
from cpo_app.ocpi.push import metrics
from cpo_app.ocpi.push.choosing import Choice
from cpo_app.ocpi.push.lane import Lane, PushContext
from cpo_app.ocpi.push.lease import Lease
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox import due_marks, push_lanes
from domain.outbox.due_marks import Mark
from domain.outbox.publishing import publish
from domain.peers.switches import set_quirk
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import location


async def the_lease_ends(house: House) -> None:
    await house.db["push_lanes"].update_many({}, [{"$set": {"until": "$$NOW"}}])


def test_a_lane_belongs_to_one_process_at_a_time(house: House) -> None:
    async def story() -> list[bool]:
        first, second = Lease(house.db, "p", "first"), Lease(house.db, "p", "second")
        seen = [
            await first.claim() is not None,
            await second.claim() is not None,
            await first.claim() is not None,  # renewed
            first.held,
            second.held,
        ]
        await the_lease_ends(house)
        seen += [await second.claim() is not None, await first.claim() is not None, first.held]
        await second.release()
        seen += [await first.claim() is not None, second.held]
        return seen

    assert house.loop.run(story()) == [
        *(True, False, True, True, False),
        *(True, False, False),
        *(True, False),
    ]


def test_only_the_holder_writes_into_the_lane(house: House) -> None:
    async def story() -> JsonMapping:
        await Lease(house.db, "p", "first").claim()
        await push_lanes.note(house.db, "p", "second", {"failures": 7})
        return await push_lanes.lane_of(house.db, "p")

    assert house.loop.run(story())["failures"] == 0


def test_an_object_is_marked_anew_when_the_lease_ended_while_it_was_out(house: House) -> None:
    """Another process may have sent a newer state before this older one arrived."""
    _, peer_id = house.peer()
    house.locations(location("LOC1"))

    async def story() -> None:
        (mark,) = await due_marks.due(house.db, peer_id, datetime.now(timezone.utc), 10)
        async with PeerClient(allow_private=True) as client:
            lane = Lane(PushContext(house.store, house.peers, client, 1.0, 1, "me"), peer_id)
            await due_marks.clear(house.db, [(mark.id, mark.version)])  # the other process
            await lane._succeeded(mark, 0)

    with pytest.raises(Exception, match="the lease ended while a request was out"):
        house.loop.run(story())
    (mark,) = house.marks()
    assert mark["whole"] is True and mark["peer_id"] == peer_id


def test_what_is_delivered_and_what_fails_is_counted(house: House) -> None:
    _, peer_id = house.peer(fault=lambda got: "ocpi 2001" if "LOC1" in got.path else None)
    house.push()
    house.locations(location("LOC1"), location("LOC2"))
    house.until(lambda: len(house.marks()) == 1 and house.marks()[0].get("error"))

    def value(metric: Any, *labels: str) -> float:
        return metric.labels(*labels)._value.get()

    assert value(metrics.DELIVERED, peer_id, "locations") == 1
    assert value(metrics.FAILED, peer_id, "locations", "object") == 1


def test_what_came_while_the_queue_was_full_is_looked_for_when_it_is_empty(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a slow request is out all the while, and nobody says once more that it came."""
    _, peer_id = house.peer()
    house.locations(*(location(f"LOC{number}") for number in range(8)))
    monkeypatch.setattr(lanes, "_LOOK_S", 3600.0)
    sent: list[str] = []

    async def story() -> None:
        hanging, busy = asyncio.Event(), asyncio.Event()

        async def send(channel: object, mark: Mark, state: object) -> None:
            sent.append(mark.key)
            if len(sent) <= 2:
                await (hanging if len(sent) == 1 else busy).wait()

        monkeypatch.setattr(lanes, "bring_up_to_date", send)
        async with PeerClient(allow_private=True) as client:
            lane = Lane(PushContext(house.store, house.peers, client, 1.0, 2, "me"), peer_id)
            lane._rate = 400  # it was quick just now: much is read ahead
            running = asyncio.create_task(lane.run())
            await _until(lambda: len(sent) == 2)
            lane._rate = 0
            await house.store.transact(lambda tx: _published(house, "LOC8", tx))
            lane.poke()
            await _until(lambda: not lane._turn.is_set())
            busy.set()
            await _until(lambda: len(sent) == 9)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    house.loop.run(story())
    assert sent[-1].endswith("/loc8")


def test_who_was_narrowed_is_sent_nothing_as_it_was_before(house: House) -> None:
    """Its document is read after the mark that the change has made, as the object is."""
    _, peer_id = house.peer()
    house.locations(location("LOC1"))

    async def story() -> Choice:
        peer = await house.peers.get(peer_id)
        choice = Choice(house.store, peer, lambda: house.peers.get(peer_id))
        await set_quirk(house.store, peer_id, "no_patch", "true")
        await choice.next(house.db.now(), 10, ())
        return choice

    assert house.loop.run(story()).peer.quirks["no_patch"] is True


async def _published(house: House, location_id: str, tx: Tx) -> str:
    return await publish(house.store, "locations", owned_location(location(location_id)), tx)


async def _until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends, "it never came to hold"
        await asyncio.sleep(0.005)
