"""Two hosts whose clocks are apart never both hold a command, a token pull or a push lane."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.authorization import token_pulls
from domain.commands import command_queue
from domain.commands.command_states import OPEN
from domain.outbox import push_lanes
from tests.conftest import Loop

LEASE_S = 4.0


class Ahead:
    """The clock of a host that is ahead of the database by so much."""

    def __init__(self, db: Database, seconds: float) -> None:
        self._clock, self._by = db.clock, timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._clock.now() + self._by


@pytest.fixture
def hosts(db: Database) -> list[Database]:
    return [
        Database(db.client, db.name, clock=Ahead(db, seconds)) for seconds in (0.0, LEASE_S, 3600.0)
    ]


def test_a_command_is_one_hosts(hosts: list[Database], loop: Loop) -> None:
    async def story() -> list[bool]:
        store = DbInterface(hosts[0])
        command = await store.transact(
            lambda tx: command_queue.add(tx, "START_SESSION", cp_id=None, deadline=tx.now, also={})
        )
        claimed = [
            await command_queue.claim(host, command["_id"], OPEN, host.now(), name, LEASE_S)
            for name, host in zip("abc", hosts, strict=True)
        ]
        first = claimed[0]
        assert first is not None
        kept = await command_queue.prolong(hosts[0], first, hosts[0].now(), LEASE_S)
        again = await command_queue.claim(
            hosts[1], command["_id"], OPEN, hosts[2].now(), "b", LEASE_S
        )
        await hosts[0]["commands"].update_one({}, [{"$set": {"lease_until": "$$NOW"}}])
        follower = await command_queue.claim(
            hosts[2], command["_id"], OPEN, hosts[2].now(), "c", LEASE_S
        )
        lost = not await command_queue.prolong(hosts[0], first, hosts[0].now(), LEASE_S)
        return [*(one is not None for one in claimed), kept, again is None, bool(follower), lost]

    assert loop.run(story()) == [True, False, False, True, True, True, True]


def test_a_token_pull_is_one_hosts(hosts: list[Database], loop: Loop) -> None:
    async def story() -> list[bool]:
        await token_pulls.follow(hosts[0], {"p": ["https://emsp/tokens"]}, hosts[0].now())
        claimed = [await token_pulls.claim_due(host, host.now(), LEASE_S) for host in hosts]
        with pytest.raises(token_pulls.PullUnderWay):
            await token_pulls.claim(hosts[2], "p", LEASE_S, full=True)
        await hosts[0]["token_pulls"].update_one({}, [{"$set": {"lease.until": "$$NOW"}}])
        follower = await token_pulls.claim(hosts[1], "p", LEASE_S)
        assert claimed[0] is not None
        with pytest.raises(token_pulls.LeaseLost):
            await token_pulls.broken_off(hosts[0], claimed[0], "late", hosts[0].now())
        return [*(one is not None for one in claimed), follower["_id"] == "p"]

    assert loop.run(story()) == [True, False, False, True]


def test_a_push_lane_is_one_hosts(hosts: list[Database], loop: Loop) -> None:
    async def story() -> list[bool]:
        claims = [
            await push_lanes.claim(host, "p", name)
            for name, host in zip("abca", [*hosts, hosts[0]], strict=True)
        ]
        return [one is not None for one in claims]

    assert loop.run(story()) == [True, False, False, True]
