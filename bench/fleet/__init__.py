"""A fleet: what a heartbeat costs, thousands idle, hundreds charging, sessions from START to CDR.

EV_Registry and EV_Central (one worker, as `cpo serve` runs it) are processes of their own, and so
is the eMSP that receives; the charge points are simulated here. Processor time is what the
processes themselves used; for heartbeats, less what they use when nothing happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import math

from bench.cpo import ADMIN, answering, prepared, settings
from bench.emsp import Emsp, receiving
from bench.fleet.charging import charging_fleet, sessions_one_after_another
from bench.fleet.idle import idle, registered, restarted
from bench.fleet.side import QUICK, Scale, Side, engines
from bench.goals import Goal
from bench.ground import Ground, ground
from bench.measuring import passed_over, told
from bench.processes import Server, running
from db_interface.indexes import ensure_indexes

GOALS = {
    "registrations_per_s": Goal(at_least=200, why="new charge points at EV_Registry, one process"),
    "authentications_per_s": Goal(at_least=500, why="credentials for a token, one process"),
    "start_cpu_s": Goal(at_most=1.5, why="processor time of one worker until it is ready"),
    "heartbeat_central_ms": Goal(at_most=0.5, why="processor time; audit: 4.1"),
    "heartbeat_mongod_ms": Goal(at_most=0.3, why="processor time; audit: 2.4"),
    "idle_answered_share": Goal(at_least=1, why="of the fleet's heartbeats, within 10 s"),
    "back_after_restart_s": Goal(
        at_most=60, why="Central started again (full form: 10,000 at 30 s)"
    ),
    "unknown_after_restart": Goal(at_most=0, why="of these, taken for silent"),
    "readings_share": Goal(at_least=0.98, why="of one a second from each (full form: 500)"),
    "status_to_emsp_p99_ms": Goal(at_most=300, why="change to receipt, while these charge"),
    "begin_s": Goal(at_most=5, why="STARTs at once (full form: 200) until the last session runs"),
    "sessions_per_s": Goal(at_least=100, why="from START to the CDR at the eMSP"),
}


def run(quick: bool = False, scale: Scale | None = None) -> dict[str, float]:
    """All figures of this file; a full run takes five to ten minutes."""
    scale = scale or (QUICK if quick else Scale())
    with ground() as place, receiving() as emsp:
        return asyncio.run(_measured(place, emsp, scale))


async def _measured(place: Ground, emsp: Emsp, scale: Scale) -> dict[str, float]:
    environment = settings(
        place,
        REGISTRY_ADMIN_API_KEY=ADMIN,
        REGISTRY_LOG_LEVEL="WARNING",
        CPO_MAX_CONNECTIONS="12000",
        CPO_MAX_CONNECTIONS_PER_ADDRESS="12000",
        PYTHONDONTWRITEBYTECODE="",
    )
    db = place.connect()
    await ensure_indexes(db)
    token = await prepared(db, emsp)
    figures: dict[str, float] = {}
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as centrals:
        registry = stack.enter_context(running("registry", environment))
        # The very first start makes the indexes, and keeps byte code for those after it.
        with running("serve", environment) as first:
            await answering(first)
        central = centrals.enter_context(running("serve", environment))
        await answering(registry, central)
        figures["start_cpu_s"] = central.cpu_s()
        status = await db.client.admin.command("serverStatus")
        mongod = Server("mongod", 0, status["pid"])
        side = Side(scale, db, registry, central, mongod, emsp, token)
        async with engines(side):
            figures |= await told("registering", registered(side))
            figures |= await told("idle", idle(side))
            figures |= await told("restart of Central", restarted(side, centrals, environment))
            with passed_over():
                figures |= await told("charging", charging_fleet(side))
                figures |= await told("sessions", sessions_one_after_another(side))
            await side.rest()
        figures["central_memory_mb"] = side.central.memory_mb()
        # What could not be measured is missed.
        figures |= {name: math.nan for name in GOALS if name not in figures}
        for one in side.fleet:
            one.close()
    db.close()
    return figures
