"""A few engines, or a few monitors, in one process that can be killed: the product's own classes.

Run with one argument, a JSON object: {"engines": [settings], "clocks_off_s": [seconds]} or
{"monitors": [settings]}. Each engine's wall clock is off by so much; durations are the host's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any

from cpo_app import logs
from cpo_app.charge_point.engine import Engine
from cpo_app.charge_point.monitor import Monitor
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from domain.times import utc_now


class ClockOff:
    """A host's clock whose time of day is wrong."""

    def __init__(self, off_s: float) -> None:
        self._off = timedelta(seconds=off_s)

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return utc_now() + self._off


async def run(told: dict[str, Any]) -> None:
    engines = [
        Engine(EngineSettings(**one), clock=ClockOff(off_s))
        for one, off_s in zip(told.get("engines", ()), told.get("clocks_off_s", ()), strict=True)
    ]
    monitors = [Monitor(MonitorSettings(**one)) for one in told.get("monitors", ())]
    running = [*(one.run() for one in engines), *(one.run() for one in monitors)]
    await asyncio.gather(*running)


if __name__ == "__main__":
    logs.set_up("WARNING", "text")
    asyncio.run(run(json.loads(sys.argv[1])))
