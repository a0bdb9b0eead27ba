"""One process at a time has a peer's lane; a lease that was lost meanwhile is made good."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.push import metrics
from cpo_app.ocpi.push.lane import Lane, PushContext
from cpo_app.ocpi.push.lease import Lease
from db_interface.json_data import JsonMapping
from domain.outbox import due_marks, push_lanes
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
