"""The verdict on a peer says each thing once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db_interface.database import Database
from domain.operator import peers
from domain.outbox.push_lanes import LANES
from domain.peers.peer_document import PEERS
from tests.conftest import Loop


@pytest.mark.parametrize(
    ("last_error", "alarms"),
    [
        ("push: HTTP 500", ["push fails: HTTP 500"]),
        ("its cards: HTTP 404", ["push fails: HTTP 500", "its cards: HTTP 404"]),
    ],
)
def test_why_a_push_fails_is_said_once(
    db: Database, loop: Loop, last_error: str, alarms: list[str]
) -> None:
    now = db.now()

    async def failing() -> list[peers.PeerRow]:
        error = {"text": last_error, "at": now - timedelta(seconds=5)}
        peer = {"_id": "p1", "name": "Peer", "status": "connected", "last_error": error}
        await db[PEERS.name].insert_one(peer)
        await db[LANES.name].insert_one({"_id": "p1", "failures": 3, "reason": "HTTP 500"})
        return await peers.table(db, now)

    assert [row.alarms for row in loop.run(failing())] == [alarms]
