"""The fleet at work: STARTs at once, readings with status changes beside them, whole sessions."""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable, Sequence

from bench.cpo import LATER, NO_ANSWER, start_session
from bench.fleet.side import Side
from bench.measuring import each, p99
from bench.simulated_charge_points import ChargePoint
from bench.status_changes import status_changes

CHANGES_PER_S = 10
_STARTED_S = 60


async def charging_fleet(side: Side) -> dict[str, float]:
    """Sessions begin by START; then readings, and status changes of others meanwhile."""
    scale = side.scale
    charging = side.fleet[: scale.charging]
    changing = side.fleet[scale.charging : scale.charging + scale.changing]
    began = time.perf_counter()
    await asyncio.gather(*(start(side, one) for one in charging[: scale.starts]))
    begin_s = time.perf_counter() - began
    await each([start(side, one) for one in charging[scale.starts :]])
    for one in charging:
        one.latencies.clear()
        side.spawn(one.charge(1.0, random.random()))
    await asyncio.sleep(scale.settle_s)
    side.emsp.came()
    first, before = sum(len(one.latencies) for one in charging), side.cpu()
    measured_at = time.perf_counter()
    changes = await status_changes(
        side.emsp,
        [(one.cp_id, _toggle(side, one)) for one in changing],
        seconds=scale.charging_for_s,
        per_s=CHANGES_PER_S,
    )
    seconds = time.perf_counter() - measured_at
    after = side.cpu()
    latencies = [value for one in charging for value in one.latencies]
    readings = len(latencies) - first
    return {
        "begin_s": begin_s,
        "readings_per_s": readings / seconds,
        "readings_share": readings / seconds / len(charging),
        "reading_central_ms": (after[0] - before[0]) / readings * 1000,
        "reading_mongod_ms": (after[1] - before[1]) / readings * 1000,
        "reading_p99_ms": p99(latencies) * 1000,
        "status_to_emsp_p50_ms": statistics.median(changes),
        "status_to_emsp_p99_ms": p99(changes),
    }


def _toggle(side: Side, one: ChargePoint) -> Callable[[], object]:
    return lambda: side.spawn(one.toggle())


async def start(side: Side, one: ChargePoint) -> None:
    """START_SESSION, until the charge point's first telemetry of the session is acknowledged."""
    # Where no answer came in time, too: the same START again is the same command.
    again_on = (NO_ANSWER, *LATER)
    await start_session(
        side.central,
        side.emsp,
        side.token,
        one.cp_id,
        within_s=_STARTED_S,
        again_on=again_on,
        connector_id="1",
    )
    await asyncio.wait_for(one.began.wait(), _STARTED_S)


async def sessions_one_after_another(side: Side) -> dict[str, float]:
    """Sessions one after another at so many charge points at once, until time is up."""
    scale = side.scale
    await side.rest()
    charging = side.fleet[: scale.charging]
    await each([one.end() for one in charging])
    await asyncio.sleep(scale.settle_s)
    side.emsp.came()
    before, began = side.cpu(), time.perf_counter()
    deadline, never_began = began + scale.sessions_for_s, 0

    async def sessions_at(ones: Sequence[ChargePoint]) -> None:
        nonlocal never_began
        for one in itertools.cycle(ones):
            if time.perf_counter() > deadline:
                return
            try:
                await start(side, one)
            except asyncio.TimeoutError:  # Central gave the command up
                never_began += 1
                continue
            await one.meter(100.0)
            await one.end()

    parts = [charging[n :: scale.sessions_at_once] for n in range(scale.sessions_at_once)]
    await asyncio.gather(*(sessions_at(part) for part in parts))
    seconds = time.perf_counter() - began
    after = side.cpu()
    await asyncio.sleep(scale.settle_s)
    cdrs = sum(path.startswith("/cdrs") for path, _, _ in side.emsp.came())
    if not cdrs:
        raise RuntimeError("no CDR came")
    return {
        "sessions_per_s": cdrs / seconds,
        "sessions_that_never_began": float(never_began),
        "session_central_ms": (after[0] - before[0]) / cdrs * 1000,
        "session_mongod_ms": (after[1] - before[1]) / cdrs * 1000,
    }
