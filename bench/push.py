"""The push: how much one worker delivers, how soon a change arrives, and beside dead peers.

The worker and the changes run here, the receiving eMSPs in processes of their own, on a real
mongod. Locations are changed as charge points change them: the status of an EVSE.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from bench import locations
from bench.emsp import Emsp, receiving
from bench.goals import Goal
from bench.ground import ground
from bench.measuring import passed_over
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.push import Push
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish, publish_all
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from tests.settings_of import settings_of

GOALS = {
    "delivered_per_s": Goal(at_least=1000, why="locations to one eMSP by one worker"),
    "latency_p99_ms": Goal(at_most=200, why="change to receipt at 100 changes/s"),
    "beside_dead_p95_ms": Goal(at_most=1000, why="the same, beside hanging and absent peers"),
}

_HANGING, _ABSENT = 3, 3


@dataclass(frozen=True)
class Scale:
    """How much is measured: `backlog` locations, then changes for `seconds`, twice."""

    backlog: int = 5000
    seconds: float = 10


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """Locations per second out of a backlog; milliseconds from before a change to its receipt."""
    scale = scale or (Scale(1000, 3) if quick else Scale())
    with ground() as place, contextlib.ExitStack() as stack:
        good, bad = (stack.enter_context(receiving()) for _ in range(2))
        return asyncio.run(_measured(place.connect, good, bad, scale))


async def _measured(connect: Any, good: Emsp, bad: Emsp, scale: Scale) -> dict[str, float]:
    db = connect()
    await ensure_indexes(db)
    side = _Side(db)
    await side.peer(good)
    figures = {"delivered_per_s": await _throughput(side, good, scale.backlog)}
    figures |= _percentiles("latency", await _latencies(side, good, scale.seconds))
    for _ in range(_HANGING):
        await side.peer(bad)
    bad.tell("hang")
    for _ in range(_ABSENT):
        await side.peer(None)
    figures |= _percentiles("beside_dead", await _latencies(side, good, scale.seconds))
    db.close()
    return figures


class _Side:
    """The CPO: a store, peers, changes."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.store = DbInterface(db)
        self.peers = Peers(db, Vault("bench " * 8))
        self._rows: list[JsonObject] = []
        self._changes = 0
        self._parties = itertools.count(10)

    async def peer(self, emsp: Emsp | None) -> None:
        now = datetime.now(timezone.utc)
        peer, _ = await self.peers.invite("bench", now, ANY_PARTY)
        port = 1 if emsp is None else emsp.port
        await self.peers.connect(
            peer.peer_id,
            our_token=new_token(),
            their_token=new_token(),
            now=now,
            roles=[{"role": "EMSP", "country_code": "DE", "party_id": f"P{next(self._parties)}"}],
            endpoints=[
                {
                    "identifier": "locations",
                    "role": "RECEIVER",
                    "url": f"http://127.0.0.1:{port}/locations",
                }
            ],
        )

    async def fill(self, number: int) -> None:
        self._rows = [locations.location(n) for n in range(number)]
        owned = [owned_location(row) for row in self._rows]
        for start in range(0, number, 200):
            chunk = owned[start : start + 200]
            await self.store.transact(
                lambda tx, chunk=chunk: publish_all(self.store, "locations", chunk, tx)  # type: ignore[misc]
            )

    def next_change(self) -> str:
        """A name that no location has had yet."""
        self._changes += 1
        return f"change {self._changes}"

    async def change(self, name: str) -> None:
        """Give one location, each in turn, the name."""
        row = self._rows[self._changes % len(self._rows)]
        row["name"] = name
        obj = owned_location(row)
        await self.store.transact(lambda tx: publish(self.store, "locations", obj, tx))

    @contextlib.asynccontextmanager
    async def pushing(self) -> AsyncIterator[None]:
        settings = settings_of(CPO_PEER_TIMEOUT_S=5)
        async with PeerClient(allow_private=True) as client:
            push = Push(settings, self.store, self.peers, client)
            await push.start()
            try:
                with passed_over():  # here, too, as the product has it
                    yield
            finally:
                await push.stop()

    async def all_delivered(self) -> None:
        while await self.db["marks"].find_one({}, {"_id": 1}):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _throughput(side: _Side, emsp: Emsp, number: int) -> float:
    """A backlog of `number` locations, from the first receipt to the last."""
    await side.fill(number)
    async with side.pushing():
        await side.all_delivered()
    times = [at for _, _, at in emsp.came()]
    if len(times) != number:
        raise RuntimeError(f"{len(times)} of {number} locations arrived")
    return (number - 1) / (max(times) - min(times))


async def _latencies(side: _Side, emsp: Emsp, seconds: float, per_s: float = 100) -> list[float]:
    """Milliseconds from before each change, one every 10 ms, to its receipt. Late changes are
    counted from when they were due: what waits is not left out."""
    emsp.came()
    due_at: dict[str, float] = {}
    tasks: list[asyncio.Task[None]] = []
    async with side.pushing():
        await side.change(side.next_change())
        await asyncio.sleep(1)
        begin = time.monotonic()
        for number in range(int(seconds * per_s)):
            due = begin + number / per_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            name = side.next_change()
            due_at[name] = due
            tasks.append(asyncio.create_task(side.change(name)))
        await asyncio.gather(*tasks)
        missing = set(due_at)
        arrived: dict[str, float] = {}
        deadline = time.monotonic() + 30
        while missing and time.monotonic() < deadline:
            for _, name, at in emsp.came():
                arrived.setdefault(name, at)
            missing -= arrived.keys()
            await asyncio.sleep(0.05)
    if missing:
        raise RuntimeError(f"{len(missing)} changes never arrived")
    return [(arrived[name] - due) * 1000 for name, due in due_at.items()]


def _percentiles(name: str, latencies: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(latencies, n=100)
    return {f"{name}_p50_ms": cuts[49], f"{name}_p95_ms": cuts[94], f"{name}_p99_ms": cuts[98]}
