"""Of thousands of peers those are read that are meant."""

from __future__ import annotations

from datetime import datetime, timezone

from db_interface.database import Database
from domain.outbox import push_lanes
from domain.peers.found_by import hubs, offering, registered_of
from domain.peers.peer_document import PEERS, EndpointRow, PeerDocument
from domain.peers.statuses import BLOCKED, CONNECTED, DISCONNECTED, SUSPENDED
from tests.conftest import Loop

LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)
NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
TOKENS: EndpointRow = {"identifier": "tokens", "role": "SENDER", "url": "https://one.example/t"}
LOCATIONS: EndpointRow = {**TOKENS, "identifier": "locations", "role": "RECEIVER"}


def peer(
    peer_id: str,
    *endpoints: EndpointRow,
    status: str = CONNECTED,
    role: str = "EMSP",
    updated: datetime = LONG_AGO,
) -> PeerDocument:
    return {
        "_id": peer_id,
        "name": peer_id,
        "status": status,
        "roles": [{"role": role, "country_code": "DE", "party_id": "TNM"}],
        "endpoints": list(endpoints),
        "created": LONG_AGO,
        "updated": updated,
    }


def test_those_that_offer_a_module_in_a_role(db: Database, loop: Loop) -> None:
    async def story() -> set[str]:
        await PEERS.of(db).insert_many(
            [
                peer("both", LOCATIONS, TOKENS),
                peer("other module", LOCATIONS),
                peer("other role", {**TOKENS, "role": "RECEIVER"}, {**LOCATIONS, "role": "SENDER"}),
                peer("suspended", TOKENS, status=SUSPENDED),
                *(peer(f"one of many {n}", TOKENS) for n in range(120)),
            ]
        )
        return {one.peer_id async for one in offering(db, "tokens", "SENDER")}

    assert loop.run(story()) == {"both", *(f"one of many {n}" for n in range(120))}


def test_hubs_and_who_is_registered(db: Database, loop: Loop) -> None:
    async def story() -> list[object]:
        await PEERS.of(db).insert_many(
            [
                peer("eMSP"),
                peer("hub", role="HUB"),
                peer("suspended hub", role="HUB", status=SUSPENDED),
                peer("blocked", status=BLOCKED),
                peer("gone", status=DISCONNECTED),
            ]
        )
        return [
            [one.peer_id for one in await hubs(db)],
            {one.peer_id for one in await hubs(db, (CONNECTED, SUSPENDED))},
            await registered_of(db, ["eMSP", "blocked", "gone", "never heard of"]),
        ]

    assert loop.run(story()) == [["hub"], {"hub", "suspended hub"}, {"eMSP", "blocked"}]


def test_the_push_looks_at_those_for_whom_there_may_be_something_to_do(
    db: Database, loop: Loop
) -> None:
    lane: push_lanes.PushLane = {"greeted": True, "owner": "", "until": LONG_AGO, "failures": 0}

    async def story() -> list[set[str]]:
        await PEERS.of(db).insert_many(
            [peer(f"idle {n}") for n in range(20)]
            + [peer("switched", updated=NOW), peer("new", updated=NOW), peer("marked")]
            + [peer("settles"), peer("settles later"), peer("of an earlier version")]
        )
        known = [f"idle {n}" for n in range(20)] + ["switched", "marked", "settles later"]
        await push_lanes.LANES.of(db).insert_many([{**lane, "_id": one} for one in known])
        await push_lanes.settle_at(db, "settles", NOW)
        await push_lanes.settle_at(db, "settles later", NOW.replace(hour=13))
        await push_lanes.greeted(db, ["settles"], NOW)
        await db["marks"].insert_one({"_id": "m", "peer_id": "marked", "due": NOW.replace(hour=20)})
        return [
            await push_lanes.to_look_at(db, NOW, NOW.replace(minute=0)),
            set(await push_lanes.never_greeted(db)),
        ]

    looked_at, never_greeted = loop.run(story())
    assert looked_at == {"switched", "new", "marked", "settles"}
    assert never_greeted == {"new", "of an earlier version"}
