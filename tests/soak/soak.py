"""Plays a plan: drivers and faults at the same time, then peace, then the judgement."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from db_interface.database import Database
from tests.conftest import Loop
from tests.soak.books import Journal, billed_wh, differences, unsettled
from tests.soak.house import House, house
from tests.soak.plan import Fault, Kind, Plan
from tests.soak.receiver import Receiver, receiving
from tests.soak.visits import ChargePoint

logger = logging.getLogger("soak")

_PROCESS = {
    Kind.WORKER_KILLED: "worker",
    Kind.WORKER_PAUSED: "worker",
    Kind.ENGINES_KILLED: "engines",
    Kind.ENGINES_PAUSED: "engines",
    Kind.UPLINK_CUT: "uplink",
    Kind.UPLINK_HANGS: "uplink",
}


@dataclass(frozen=True)
class Outcome:
    """`problems`: everything that is not as it has to be."""

    problems: list[str]
    sessions: int
    cdrs: int
    credits: int
    delivered_wh: float
    billed_wh: float


def soak(plan: Plan, directory: Path, settles_within_s: float) -> Outcome:
    """Play it in `directory`, where every process leaves its log."""
    loop = Loop()
    try:
        with receiving(loop) as server:
            return asyncio.run(_soak(plan, directory, server, settles_within_s))
    finally:
        loop.close()


async def _soak(plan: Plan, directory: Path, server: Receiver, within_s: float) -> Outcome:
    async with (
        house(plan, directory, server) as built,
        httpx.AsyncClient(timeout=12, trust_env=False) as http,
    ):
        logger.info("seed %d: everything runs", plan.seed)
        points = [ChargePoint(built, number, http) for number in range(len(built.cp_ids))]
        drivers = [
            asyncio.create_task(point.visits(visits))
            for point, visits in zip(points, plan.visits, strict=True)
        ]
        await _charging(server)
        await _faults(built, plan.faults)
        for driver in drivers:
            driver.cancel()
        await asyncio.gather(*drivers, return_exceptions=True)
        logger.info("peace")
        db = Database.connect(built.store_url)
        try:
            left = await _settled(points, db, within_s)
            built.stop_charge_points()
            paths = sorted(built.state_dir.glob("engine-*.sqlite"))
            journals = [Journal.of(path) for path in paths]
            problems = [f"after {within_s:.0f} s: {one}" for one in left]
            problems += await differences(db, journals, server)
        finally:
            db.close()
    cdrs = server.told("cdrs").values()
    return Outcome(
        problems,
        sessions=sum(len(one.delivered_wh) for one in journals),
        cdrs=len(cdrs),
        credits=sum(bool(cdr.get("credit")) for cdr in cdrs),
        delivered_wh=sum(sum(one.delivered_wh.values()) for one in journals),
        billed_wh=sum(billed_wh(server).values()),
    )


async def _charging(server: Receiver) -> None:
    """Return when somebody charges: before, there is nothing to break."""
    deadline = time.monotonic() + 40
    while not any(one["status"] == "ACTIVE" for one in server.told("sessions").values()):
        assert time.monotonic() < deadline, "nobody could charge before any fault"
        await asyncio.sleep(0.1)


async def _faults(built: House, faults: Sequence[Fault]) -> None:
    """Each at its time; one after the other at the same target."""
    began = time.monotonic()
    turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def one(fault: Fault) -> None:
        await asyncio.sleep(max(0.0, began + fault.at_s - time.monotonic()))
        async with turns[_PROCESS.get(fault.kind, fault.kind.value), fault.target]:
            logger.info("%6.1f s %s", time.monotonic() - began, fault)
            await built.suffer(fault)

    await asyncio.gather(*(one(fault) for fault in faults))


async def _settled(points: list[ChargePoint], db: Database, within_s: float) -> list[str]:
    """Let all come to rest: every driver leaves. What has not after the time; empty: all has."""
    deadline = time.monotonic() + within_s
    while True:
        left = [f"{point.cp_id} is not left" for point in points if not await point.is_left()]
        if not left:
            left = [
                f"{point.cp_id} has {waiting} messages waiting"
                for point in points
                if (waiting := await point.waiting_messages())
            ]
        left = left or await unsettled(db)
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.5)
