"""The fleet without a session: registering, heartbeats, and all of them back after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import time

from bench.cpo import ADMIN, METADATA, answering, asked_until_taken
from bench.fleet.side import Side, charge_point, copied
from bench.measuring import AT_ONCE, each, p99
from bench.processes import running
from bench.simulated_charge_points import Wire
from db_interface.json_data import JsonObject
from domain.charge_points.charge_point_documents import CHARGE_POINTS

_REGISTRY_S = 5


async def registered(side: Side) -> dict[str, float]:
    """Register and authenticate at EV_Registry, then register at Central; the rest of the fleet
    gets copies of what these have in the store."""
    scale, credentials = side.scale, {}
    wires = [Wire(side.registry.port) for _ in range(AT_ONCE)]
    free = list(wires)

    async def ask(path: str, body: JsonObject, *headers: str) -> JsonObject:
        wire = free.pop()
        status, answer = await asked_until_taken(wire, _REGISTRY_S, path, body, *headers)
        free.append(wire)
        if status != 200:
            raise RuntimeError(f"EV_Registry answers {status} {answer}")
        return answer

    async def register(cp_id: str) -> None:
        body = {"cp_id": cp_id, "location": "Berlin", "metadata": METADATA}
        answer = await ask("/cp/register", body, f"X-Registry-API-Key: {ADMIN}")
        credentials[cp_id] = answer["credentials"]

    async def authenticate(cp_id: str) -> None:
        await ask("/cp/authenticate", {"cp_id": cp_id, "credentials": credentials[cp_id]})

    names = [f"CP-{n:05d}" for n in range(scale.real)]
    registering = await each([register(name) for name in names])
    spent = side.registry.cpu_s()
    again = itertools.islice(itertools.cycle(names), scale.authentications)
    authenticating = await each([authenticate(name) for name in again])
    spent = side.registry.cpu_s() - spent
    for wire in wires:
        wire.close()
    side.fleet = [charge_point(side, name) for name in names]
    coming_back = await each([one.register(side.engine_port) for one in side.fleet])
    side.by_key.update({one.key: one for one in side.fleet})
    await each([one.beat() for one in side.fleet])
    await copied(side, scale.idle)
    return {
        "registrations_per_s": scale.real / registering,
        "authentications_per_s": scale.authentications / authenticating,
        "authentication_registry_ms": spent / scale.authentications * 1000,
        "registrations_at_central_per_s": scale.real / coming_back,
    }


async def idle(side: Side) -> dict[str, float]:
    scale = side.scale
    quiet_for_s = scale.settle_s
    before = side.cpu()
    await asyncio.sleep(quiet_for_s)
    quiet = [(now - then) / quiet_for_s for now, then in zip(side.cpu(), before, strict=True)]
    for one in side.fleet:
        one.latencies.clear()
        side.spawn(one.live(random.random()))
    await asyncio.sleep(scale.interval_s)  # each has come once: what is measured is every day's
    first = sum(len(one.latencies) for one in side.fleet)
    before, began = side.cpu(), time.perf_counter()
    await asyncio.sleep(scale.idle_for_s)
    seconds = time.perf_counter() - began
    after = side.cpu()
    latencies = [value for one in side.fleet for value in one.latencies]
    beats = len(latencies) - first
    used = [
        (now - then - seconds * idle) / beats * 1000
        for now, then, idle in zip(after, before, quiet, strict=True)
    ]
    lost = sum(one.unheard + one.shed for one in side.fleet)
    return {
        "heartbeats_per_s": beats / seconds,
        "heartbeat_central_ms": used[0],
        "heartbeat_mongod_ms": used[1],
        "heartbeat_p99_ms": p99(latencies) * 1000,
        "idle_answered_share": 1 - lost / len(latencies),
        "idle_unknown": float(await CHARGE_POINTS.of(side.db).count({"ocpi_status": "UNKNOWN"})),
    }


async def restarted(
    side: Side, centrals: contextlib.ExitStack, environment: dict[str, str]
) -> dict[str, float]:
    """Central ends and starts again; until each charge point has had an answer."""
    await copied(side, side.scale.coming_back)
    more = [side.spawn(one.live(random.random())) for one in side.fleet[side.scale.idle :]]
    await asyncio.sleep(side.scale.settle_s)
    ended = time.monotonic()
    # In a thread: the charge points go on meanwhile, and find nobody.
    await asyncio.to_thread(centrals.close)
    again = running("serve", environment, port=side.central.port)
    side.central = await asyncio.to_thread(centrals.enter_context, again)
    await answering(side.central)
    ready = time.monotonic()
    deadline = ready + 4 * side.scale.interval_s
    first: dict[str, float] = {}
    while len(first) < len(side.fleet) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        for one in side.fleet:
            if one.heard_at >= ready:
                first.setdefault(one.cp_id, one.heard_at)
    for task in more:
        task.cancel()
    away = len(side.fleet) - len(first)
    return {
        "restart_s": ready - ended,
        "back_after_restart_s": math.nan if away else max(first.values()) - ready,
        "not_back_after_restart": float(away),
        "unknown_after_restart": float(
            await CHARGE_POINTS.of(side.db).count({"ocpi_status": "UNKNOWN"})
        ),
    }
