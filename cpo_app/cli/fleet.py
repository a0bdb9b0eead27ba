"""Simulated charge points in one process: pairs of monitor and engine, as `cpo up` runs them."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from cpo_app.charge_point.drivers import Drivers
from cpo_app.charge_point.engine import Engine
from cpo_app.charge_point.monitor import Monitor
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.cli.simulated import DEMO_SPEED, charge_point_ids
from db_interface.json_data import JsonObject

# Where the simulated charge points stand, and what they can do.
SITES: tuple[tuple[str, str, Literal["AC", "DC"]], ...] = (
    ("Berlin", "22kW", "AC"),
    ("Amsterdam", "150kW", "DC"),
    ("Paris", "22kW", "AC"),
    ("Madrid", "50kW", "DC"),
    ("Vienna", "11kW", "AC"),
    ("Copenhagen", "22kW", "AC"),
    ("Brussels", "300kW", "DC"),
    ("Lisbon", "7.4kW", "AC"),
)

# The cards of the demonstration eMSP's drivers.
DEMO_CARDS = tuple(f"DEMO-CARD-{number}" for number in range(1, 9))


async def run(
    count: int,
    *,
    state_dir: Path,
    central_port: int,
    registry_url: str,
    registry_api_key: str = "",
    demo: bool = False,
) -> None:
    """Run `count` charge points, CP-001 on, until cancelled."""
    tasks: list[asyncio.Task[None]] = []
    for number, cp_id in enumerate(charge_point_ids(count), 1):
        location, power, kind = SITES[(number - 1) % len(SITES)]
        engine = Engine(
            EngineSettings(
                cp_id=cp_id,
                host="127.0.0.1",
                health_port=0,
                kw_rate=float(power.removesuffix("kW")),
                power_type=kind,
                state_dir=state_dir,
                simulation=True,
                speed=DEMO_SPEED if demo else 1,
            )
        )
        metadata: JsonObject = {"power_rating": power, "type": kind}
        monitor = Monitor(
            MonitorSettings(
                cp_id=cp_id,
                location=location,
                metadata=metadata,
                cp_e_host="127.0.0.1",
                cp_e_port=engine.port,
                central_host="127.0.0.1",
                central_port=central_port,
                registry_url=registry_url,
                registry_api_key=SecretStr(registry_api_key) if registry_api_key else None,
                keyring=False,
                state_dir=state_dir,
            )
        )
        tasks += [asyncio.create_task(engine.run()), asyncio.create_task(monitor.run())]
        if demo and number < max(count, 2):
            # The last one stays free for whoever tries a command.
            drivers = Drivers(engine.simulation, DEMO_CARDS, random.Random())
            tasks.append(asyncio.create_task(drivers.run()))
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
