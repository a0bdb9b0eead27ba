"""The CPO's servers, and the simulated charge points that speak to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from auth.charge_point_tokens import issue
from bench.cpo import SECRET
from bench.emsp import Emsp
from bench.processes import Server
from bench.simulated_charge_points import ChargePoint, Engine
from db_interface.database import Database
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_store import REGISTRATIONS


@dataclass(frozen=True)
class Scale:
    idle: int = 5000
    interval_s: float = 30.0
    idle_for_s: float = 30.0
    coming_back: int = 10_000
    """How many there are when Central starts again."""
    real: int = 540
    """Those that register over HTTP; the others of the idle ones are made in the store."""
    charging: int = 500
    charging_for_s: float = 20.0
    starts: int = 200
    authentications: int = 2000
    sessions_at_once: int = 50
    sessions_for_s: float = 15.0
    changing: int = 40
    """Of the real ones: those whose status changes meanwhile."""
    settle_s: float = 3.0
    """How long nothing happens between two measurements."""


QUICK = Scale(
    idle=1000,
    interval_s=10,
    idle_for_s=10,
    coming_back=2000,
    real=140,
    charging=100,
    charging_for_s=5,
    starts=50,
    authentications=500,
    sessions_at_once=20,
    sessions_for_s=5,
    changing=20,
    settle_s=2,
)


@dataclass
class Side:
    """The CPO's servers, and who speaks to them."""

    scale: Scale
    db: Database
    registry: Server
    central: Server
    mongod: Server
    emsp: Emsp
    token: str
    """The eMSP's."""
    engine_port: int = 0
    fleet: list[ChargePoint] = field(default_factory=list)
    by_key: dict[str, ChargePoint] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            raise RuntimeError("a charge point broke off") from task.exception()

    async def rest(self) -> None:
        """Nobody does anything any more."""
        while self.tasks:
            # More than once: Python 3.11's wait_for swallows one if what it waits for comes then.
            for task in self.tasks:
                task.cancel()
            await asyncio.wait(list(self.tasks), timeout=1.0)
            await asyncio.sleep(0)

    def cpu(self) -> tuple[float, float]:
        """Seconds of processor time of Central and mongod so far."""
        return self.central.cpu_s(), self.mongod.cpu_s()


@contextlib.asynccontextmanager
async def engines(side: Side) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Engine(side.by_key, side.spawn), "127.0.0.1", 0)
    side.engine_port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


def charge_point(side: Side, name: str) -> ChargePoint:
    token, _ = issue(
        SECRET,
        cp_id=name,
        location="Berlin",
        token_version=1,
        lifetime=timedelta(hours=2),
        now=datetime.now(timezone.utc),
    )
    return ChargePoint(name, token, side.central.port, interval_s=side.scale.interval_s)


async def copied(side: Side, whole: int) -> None:
    """The rest of the `whole` fleet, made in the store out of the last that is really there."""
    template = side.fleet[side.scale.real - 1].cp_id
    record = await REGISTRATIONS.of(side.db).find_one({"_id": template})
    known = await CHARGE_POINTS.of(side.db).find_one({"_id": template})
    assert record is not None
    assert known is not None
    numbers = range(len(side.fleet), whole)
    names = [f"CP-{n:05d}" for n in numbers]
    await REGISTRATIONS.of(side.db).insert_many(
        [
            {
                **record,
                "_id": name,
                "folded_id": name.lower(),
                "site_id": name.lower(),
            }
            for name in names
        ]
    )
    await CHARGE_POINTS.of(side.db).insert_many([{**known, "_id": name} for name in names])
    side.fleet += [charge_point(side, name) for name in names]
