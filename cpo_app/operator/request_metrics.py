"""What this process answered over OCPI: a counter and a histogram, for `/metrics`.

The middleware costs each OCPI request a few microseconds and every other request one comparison.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from cpo_app.observed_requests import OTHER, method_of, observed
from domain.exchanges.exchange import MODULES

REQUESTS = Counter(
    "cpo_ocpi_requests",
    "OCPI requests that were answered.",
    ["module", "method", "status"],
)
DURATIONS = Histogram(
    "cpo_ocpi_request_duration_seconds",
    "How long OCPI requests took.",
    ["module"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


class OcpiMetrics:
    """Pure ASGI: counts the answers to requests under `/<prefix>/`, the time until they ended."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self.app = app
        self._root = f"/{prefix}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._root):
            return await self.app(scope, receive, send)

        def note(status: int, seconds: float) -> None:
            module = module_of(scope["path"], self._root)
            _requests(module, method_of(scope), status).inc()
            _durations(module).observe(seconds)

        await observed(self.app, scope, receive, send, note)
        return None


def module_of(path: str, root: str) -> str:
    """The OCPI module of a path, out of a short list: strangers cannot make new time series."""
    parts = path[len(root) :].split("/", 3)
    if parts[0] != "cpo":
        return "versions" if "versions" in parts or "details" in parts else OTHER
    module = parts[2] if len(parts) > 2 else OTHER
    return module if module in MODULES else OTHER


# Kept: looking a labelled series up costs more than counting in it. There are few of them.
@cache
def _requests(module: str, method: str, status: int) -> Counter:
    return REQUESTS.labels(module, method, status)


@cache
def _durations(module: str) -> Histogram:
    return DURATIONS.labels(module)
