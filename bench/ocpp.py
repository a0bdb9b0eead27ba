"""A fleet over OCPP 1.6: thousands connected, all of them back at once, changes, starts, readings.

The gateway and EV_Central (one worker each, as `cpo ocpp` and `cpo serve` run them) are processes
of their own, and so is the eMSP that receives; the charge points are simulated here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from auth.charge_point_credentials import CredentialHashes
from bench.cpo import KEY, METADATA, answering, prepared, settings, start_session
from bench.emsp import Emsp, receiving
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.held_up import times_held
from bench.measuring import p99, passed_over, told
from bench.processes import Server, running
from bench.simulated_boxes import Box, box
from bench.status_changes import LOST_S, status_changes
from cpo_app.charge_point.ocpp.keeping import Access
from db_interface.backoff import Backoff
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.registration_store import REGISTRATIONS
from domain.ocpp.adding import add_station
from domain.ocpp.stations import STATIONS
from domain.places import geonames

GOALS = {
    "connection_kb": Goal(at_most=60, why="the gateway's memory for each (full form: 5,000)"),
    "back_after_restart_s": Goal(at_most=60, why="the gateway starts again; all at once"),
    "readings_share": Goal(at_least=0.98, why="of those that were due (full form: 100 a second)"),
    "status_to_emsp_p99_ms": Goal(at_most=500, why="change to receipt (full form: 50 a second)"),
    "remote_start_p99_ms": Goal(at_most=300, why="START_SESSION to the charge point's Accepted"),
    "idle_connected_share": Goal(at_least=1, why="of the fleet, after the time of idleness"),
}

PASSWORD = "bench-password-of-all-stations"
BACKOFF = Backoff(first_s=1.0, max_s=15.0)
_AT_ONCE = 50
_CONNECTED_WITHIN_S = 300.0


@dataclass(frozen=True)
class Scale:
    connected: int = 5000
    idle_for_s: float = 75.0
    heartbeat_s: int = 60
    charging: int = 500
    sample_s: int = 5
    charging_for_s: float = 30.0
    changing: int = 500
    changes_per_s: float = 50.0
    starts_per_s: float = 10.0
    starting: int = 200
    """How many are started one after another, as that many a second."""
    settle_s: float = 5.0
    """How long what follows a boot takes."""

    @property
    def real(self) -> int:
        """Those that the operator has added, whose locations eMSPs know; the others are made in
        the store, as copies."""
        return max(self.charging, self.starting) + self.changing


QUICK = Scale(
    connected=500,
    idle_for_s=15,
    heartbeat_s=10,
    charging=50,
    sample_s=5,
    charging_for_s=10,
    changing=100,
    changes_per_s=10,
    starts_per_s=5,
    starting=50,
)


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """All figures of this file; a full run takes some five minutes."""
    scale = scale or (QUICK if quick else Scale())
    # That nobody is there while the gateway starts again is what is measured.
    logging.getLogger("cpo_app.charge_point.ocpp").setLevel(logging.ERROR)
    with ground() as place, receiving() as emsp:
        return asyncio.run(_measured(place, emsp, scale))


@dataclass(frozen=True)
class _Party:
    country_code: str = "DE"
    party_id: str = "CPO"
    name: str = "Bench"


@dataclass
class _Side:
    scale: Scale
    db: Database
    gateway: Server
    central: Server
    mongod: Server
    emsp: Emsp
    token: str
    boxes: list[Box] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def online(self) -> int:
        return sum(one.keeping.online.is_set() for one in self.boxes)

    def cpu(self) -> tuple[float, float, float]:
        """Seconds of processor time of gateway, Central and mongod so far."""
        return self.gateway.cpu_s(), self.central.cpu_s(), self.mongod.cpu_s()

    async def times_held(self) -> tuple[float, float]:
        """How often the event loops of gateway and Central were held for more than 50 ms so far."""
        return (await times_held(self.gateway))[0], (await times_held(self.central))[0]


async def _measured(place: Ground, emsp: Emsp, scale: Scale) -> dict[str, float]:
    environment = settings(place, CPO_OCPP_HEARTBEAT_S=str(scale.heartbeat_s))
    db = place.connect()
    await ensure_indexes(db)
    token = await prepared(db, emsp)
    names = [f"BOX-{number:05d}" for number in range(scale.connected)]
    figures: dict[str, float] = await told("adding", _added(db, names[: scale.real]))
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as gateways:
        central = stack.enter_context(running("serve", environment))
        gateway = gateways.enter_context(running("ocpp", environment))
        await answering(central)
        status = await db.client.admin.command("serverStatus")
        mongod = Server("mongod", 0, status["pid"])
        side = _Side(scale, db, gateway, central, mongod, emsp, token)
        try:
            await _connect(side, names[: scale.real])
            await _copied(db, names, scale.real)
            figures |= await told("connecting", _connected(side, names[scale.real :]))
            figures |= await told("idle", _idle(side))
            figures |= await told("restart", _restarted(side, gateways, environment))
            with passed_over():
                figures |= await told("starting", _starting(side))
                figures |= await told("charging", _charging(side))
            figures["gateway_memory_mb"] = side.gateway.memory_mb()
        finally:
            for task in side.tasks:
                task.cancel()
            await asyncio.gather(*side.tasks, return_exceptions=True)
        figures |= {name: math.nan for name in GOALS if name not in figures}
    db.close()
    return figures


async def _added(db: Database, names: Sequence[str]) -> dict[str, float]:
    """As the operator does; one password for all."""
    (digest,) = CredentialHashes(KEY).of(PASSWORD)
    store = DbInterface(db)

    async def add(name: str) -> None:
        async def work(tx: Tx) -> None:
            await add_station(
                tx,
                name,
                party=_Party(),
                location="Berlin",
                metadata=METADATA,  # type: ignore[arg-type]
                password_hash=digest,
            )

        await store.transact_jointly(work, name)

    await geonames.loaded()
    began = time.perf_counter()
    for first in range(0, len(names), _AT_ONCE):
        await asyncio.gather(*(add(name) for name in names[first : first + _AT_ONCE]))
    return {"added_per_s": len(names) / (time.perf_counter() - began)}


async def _copied(db: Database, names: Sequence[str], real: int) -> None:
    """The rest of the fleet, made in the store out of the last that is really there."""
    template, rest = names[real - 1], names[real:]
    record = await REGISTRATIONS.of(db).find_one({"_id": template})
    known = await CHARGE_POINTS.of(db).find_one({"_id": template})
    station = await STATIONS.of(db).find_one({"_id": template})
    assert record is not None
    assert known is not None
    assert station is not None
    if not rest:
        return
    ids = [{"_id": name, "folded_id": name.lower()} for name in rest]
    seats = [[{**one, "cp_id": name} for one in station["evses"]] for name in rest]
    await REGISTRATIONS.of(db).insert_many(
        [{**record, **one, "site_id": one["folded_id"], "station": one["_id"]} for one in ids]  # type: ignore[typeddict-item]
    )
    await CHARGE_POINTS.of(db).insert_many([{**known, "_id": name} for name in rest])
    await STATIONS.of(db).insert_many(
        [{**station, **one, "evses": evses} for one, evses in zip(ids, seats, strict=True)]  # type: ignore[typeddict-item]
    )


async def _connect(side: _Side, names: Sequence[str]) -> None:
    """Switched on one after another; returns when all have booted."""
    access = Access(f"ws://127.0.0.1:{side.gateway.port}/ocpp", PASSWORD)
    for name in names:
        one = box(name, access, BACKOFF, sample_s=side.scale.sample_s, tick_s=1.0)
        side.boxes.append(one)
        side.tasks.append(asyncio.create_task(one.keeping.run()))
        await asyncio.sleep(0.002)
    await _all_online(side)


async def _connected(side: _Side, names: Sequence[str]) -> dict[str, float]:
    await asyncio.sleep(side.scale.settle_s)
    before, began = side.gateway.memory_mb(), time.perf_counter()
    await _connect(side, names)
    seconds = time.perf_counter() - began
    await asyncio.sleep(side.scale.settle_s)
    grown_kb = (side.gateway.memory_mb() - before) * 1024
    return {"connected_per_s": len(names) / seconds, "connection_kb": grown_kb / len(names)}


async def _all_online(side: _Side) -> None:
    deadline = time.monotonic() + _CONNECTED_WITHIN_S
    while side.online() < len(side.boxes):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(side.boxes) - side.online()} are not connected")
        await asyncio.sleep(0.05)


async def _idle(side: _Side) -> dict[str, float]:
    before, began = side.cpu(), time.perf_counter()
    await asyncio.sleep(side.scale.idle_for_s)
    seconds = time.perf_counter() - began
    used = [(now - then) / seconds for now, then in zip(side.cpu(), before, strict=True)]
    return {
        "idle_gateway_cores": used[0],
        "idle_mongod_cores": used[2],
        "idle_connected_share": side.online() / len(side.boxes),
    }


async def _restarted(
    side: _Side, gateways: contextlib.ExitStack, environment: dict[str, str]
) -> dict[str, float]:
    """The gateway is killed and starts again: until each charge point has booted."""
    os.kill(side.gateway.pid, signal.SIGKILL)
    await asyncio.to_thread(gateways.close)
    again = running("ocpp", environment, port=side.gateway.port)
    side.gateway = await asyncio.to_thread(gateways.enter_context, again)
    listens = time.monotonic()
    await _all_online(side)
    return {"back_after_restart_s": time.monotonic() - listens}


async def _starting(side: _Side) -> dict[str, float]:
    """So many starts a second, each from START_SESSION's first byte to Accepted; then the rest."""
    scale = side.scale
    ones = side.boxes[: scale.starting]
    before = await side.times_held()
    begin, tasks = time.monotonic(), []
    for number, one in enumerate(ones):
        due = begin + number / scale.starts_per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(_start(side, one, due)))
    taken = await asyncio.gather(*tasks)
    after = await side.times_held()
    more = side.boxes[scale.starting : scale.charging]
    for first in range(0, len(more), _AT_ONCE):
        part = more[first : first + _AT_ONCE]
        await asyncio.gather(*(_start(side, one, time.monotonic()) for one in part))
    return {
        "remote_start_p50_ms": statistics.median(taken),
        "remote_start_p99_ms": p99(taken),
        "starting_gateway_held": after[0] - before[0],
        "starting_central_held": after[1] - before[1],
    }


async def _start(side: _Side, one: Box, due: float) -> float:
    """Milliseconds from when it was due; one that is not accepted counts as half a minute."""
    await start_session(side.central, side.emsp, side.token, one.name, within_s=LOST_S)
    try:
        await asyncio.wait_for(one.seen.starts.wait(), LOST_S)
    except asyncio.TimeoutError:
        return LOST_S * 1000
    return (one.seen.started_at - due) * 1000


async def _charging(side: _Side) -> dict[str, float]:
    """Readings of those that charge, and status changes of others meanwhile."""
    scale = side.scale
    charging = side.boxes[: scale.charging]
    first = max(scale.charging, scale.starting)
    changing = side.boxes[first : first + scale.changing]
    await asyncio.sleep(scale.sample_s)
    side.emsp.came()
    for one in charging:
        one.seen.readings_s.clear()
    before, began = side.cpu(), time.perf_counter()
    changes = await status_changes(
        side.emsp,
        [(one.name, one.toggle) for one in changing],
        seconds=scale.charging_for_s,
        per_s=scale.changes_per_s,
    )
    seconds = time.perf_counter() - began
    after = side.cpu()
    readings = [value for one in charging for value in one.seen.readings_s]
    if not readings:
        raise RuntimeError("no reading was answered")
    used = [(now - then) / seconds for now, then in zip(after, before, strict=True)]
    return {
        "readings_per_s": len(readings) / seconds,
        "readings_share": len(readings) / seconds / (len(charging) / scale.sample_s),
        "reading_p99_ms": p99(readings) * 1000,
        "status_to_emsp_p50_ms": statistics.median(changes),
        "status_to_emsp_p99_ms": p99(changes),
        "charging_gateway_cores": used[0],
        "charging_central_cores": used[1],
        "charging_mongod_cores": used[2],
    }
