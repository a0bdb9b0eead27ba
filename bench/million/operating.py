"""What the operator looks at, in both stores: it must not grow with the list."""

from __future__ import annotations

import base64
import statistics
import time

import httpx

from bench import cpo
from bench.million.side import Side
from bench.million.turns import Both

PAGES = {
    "overview": "/",
    "list_of_locations": "/console/locations",
    "list_by_name": "/console/locations?q=Car+park+1",
    "list_by_city": "/console/locations?q=Utrecht",
    "search": "/console/search?q=loc-000017",
    "metrics": "/metrics",
}
_TIMES = 5


async def operating(both: Both) -> dict[str, float]:
    """Milliseconds, and those of the large store by those of the small one."""
    figures: dict[str, float] = {}
    for name, path in PAGES.items():
        large, small = [await _taken(side, path) for side in both]
        figures |= {f"{name}_ms": large, f"{name}_of_small": large / small}
    return figures


async def _taken(side: Side, path: str) -> float:
    shown = base64.b64encode(f"admin:{cpo.ADMIN}".encode()).decode()
    headers = {"Authorization": f"Basic {shown}"}
    base_url = f"http://127.0.0.1:{side.server.port}"
    taken = []
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60) as client:
        for _ in range(_TIMES):
            began = time.perf_counter()
            answer = await client.get(path)
            taken.append((time.perf_counter() - began) * 1000)
            if answer.is_error:
                raise RuntimeError(f"{path}: {answer.status_code}")
    return statistics.median(taken)
