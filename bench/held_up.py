"""How often a server of ours stood still, as it counts that itself (cpo_app/loop_lag.py)."""

from __future__ import annotations

import re

import httpx

from bench.cpo import ADMIN
from bench.processes import Server

_SOON = re.compile(r'cpo_event_loop_lag_seconds_bucket\{le="0.05"\} ([0-9.e+]+)')
_ALL = re.compile(r"cpo_event_loop_lag_seconds_count ([0-9.e+]+)")


async def times_held(server: Server) -> tuple[float, float]:
    """How often its event loop was held for more than 50 ms, of how many looks at it."""
    async with httpx.AsyncClient(auth=("admin", ADMIN), timeout=30) as client:
        return read((await client.get(f"http://127.0.0.1:{server.port}/metrics")).text)


def read(metrics: str) -> tuple[float, float]:
    soon, looks = _SOON.search(metrics), _ALL.search(metrics)
    if soon is None or looks is None:
        raise RuntimeError("/metrics does not tell how long the event loop was held")
    return float(looks[1]) - float(soon[1]), float(looks[1])
