"""EV_Registry's `/metrics`: what it answered, to the operator's people and keys alone.

Routes as they are declared: what a stranger writes into a path makes no new series.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.operator_access import Door, OperatorAccess
from auth.throttle import Throttle
from cpo_app.exposition import exposed
from cpo_app.observed_requests import OTHER, method_of, observed
from cpo_app.operator_guard import NotTheOperator, OperatorGuard
from cpo_app.registry.context import Registry
from db_interface.database import STORE_ERRORS

REQUESTS = Counter(
    "cpo_registry_requests",
    "Requests that EV_Registry answered, by HTTP status.",
    ["route", "method", "status"],
)
DURATIONS = Histogram(
    "cpo_registry_request_duration_seconds",
    "How long requests to EV_Registry took.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_NOT_READY = "the store cannot say who you are\n"


class RegistryMetrics:
    """Pure ASGI: counts what was answered below `/cp`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/cp/"):
            return await self.app(scope, receive, send)

        def note(status: int, seconds: float) -> None:
            route = getattr(scope.get("route"), "path", OTHER)
            REQUESTS.labels(route, method_of(scope), str(status)).inc()
            DURATIONS.labels(route).observe(seconds)

        await observed(self.app, scope, receive, send, note)
        return None


def metrics_routes(registry: Registry) -> APIRouter:
    """`/metrics`, with the same guard as EV_Central's."""
    router = APIRouter(include_in_schema=False)
    guards: list[OperatorGuard] = []

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        if registry.store is None:
            return _said(503, _NOT_READY, {"Retry-After": "2"})
        if not guards:
            guards.append(_guard(registry))
        try:
            await guards[0].actor(request, Door.METRICS)
        except NotTheOperator as refusal:
            return _said(refusal.http_status, f"{refusal.detail}\n", dict(refusal.headers))
        except STORE_ERRORS:
            return _said(503, _NOT_READY, {"Retry-After": "2"})
        up = "1 if the store answered this scrape."
        gathered = [GaugeMetricFamily("cpo_store_up", up, value=await _store_up(registry))]
        body, content_type = exposed(request.headers.get("accept", ""), gathered)
        return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    return router


async def _store_up(registry: Registry) -> int:
    assert registry.store is not None  # noqa: S101 (asked for before)
    try:
        await registry.store.db.ping()
    except STORE_ERRORS:
        return 0
    return 1


def _guard(registry: Registry) -> OperatorGuard:
    assert registry.store is not None  # noqa: S101 (as above)
    settings, db = registry.settings, registry.store.db
    access = OperatorAccess(
        db,
        lambda text: registry.hashes.of(text)[0],
        admin_password=settings.CPO_ADMIN_PASSWORD,
        throttle=Throttle("operator", settings.CPO_MAX_FAILURES_PER_MINUTE, db),
    )
    return OperatorGuard(access)


def _said(status: int, text: str, headers: dict[str, str]) -> Response:
    return Response(text, status, headers=headers, media_type="text/plain")
