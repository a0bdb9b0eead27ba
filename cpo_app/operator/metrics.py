"""`/metrics` for Prometheus: what stands in the store, and what this process answered over OCPI.

Numbers only: no id of a driver, session or charge point, and peers by their id and name. The
middleware costs each OCPI request a few microseconds and every other request one comparison.
"""

import asyncio
import platform
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cpo_app.operator_guard import OperatorGuard
from db_interface.database import STORE_ERRORS, Database
from domain.charge_points.evse_states import EvseStatus
from domain.times import utc_now

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MODULES = frozenset(
    {
        "credentials",
        "locations",
        "sessions",
        "cdrs",
        "tariffs",
        "tokens",
        "commands",
        "chargingprofiles",
        "hubclientinfo",
    }
)
OTHER = "other"
STORE_WITHIN_S = 5.0
PEER_STATUSES = ("invited", "connected", "suspended", "blocked", "disconnected")
MAX_PEERS = 1000
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_NO_ANSWER: tuple[type[Exception], ...] = (*STORE_ERRORS, asyncio.TimeoutError)
_OF_THE_STORE = frozenset({"cpo_push_backlog"})
"""Families that a process counts, too, but that the store knows better."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class OcpiCounts:
    """What one process has answered: requests by (module, method, status), durations by module.

    Belongs to one event loop, so it needs no lock.
    """

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = {}
        self.durations: dict[str, list[float]] = {}
        """By module: the number in each bucket, in the one above all, and the sum of seconds."""

    def note(self, module: str, method: str, status: int, seconds: float) -> None:
        key = (module, method, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        row = self.durations.get(module)
        if row is None:
            row = self.durations[module] = [0.0] * (len(BUCKETS_S) + 2)
        row[bisect_left(BUCKETS_S, seconds)] += 1
        row[-1] += seconds


class OcpiMetrics:
    """Pure ASGI: counts the answers to requests under `/<prefix>/`, the time until they ended."""

    def __init__(self, app: ASGIApp, *, prefix: str, counts: OcpiCounts) -> None:
        self.app = app
        self._root = f"/{prefix}/"
        self._note = counts.note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._root):
            return await self.app(scope, receive, send)
        begun = time.perf_counter()
        status = 500  # of a request that ends without an answer

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            method = scope["method"]
            self._note(
                module_of(scope["path"], self._root),
                method if method in _METHODS else OTHER,
                status,
                time.perf_counter() - begun,
            )
        return None


def module_of(path: str, root: str) -> str:
    """The OCPI module of a path, out of a short list: strangers cannot make new time series."""
    parts = path[len(root) :].split("/", 3)
    if parts[0] != "cpo":
        return "versions" if "versions" in parts or "details" in parts else OTHER
    module = parts[2] if len(parts) > 2 else OTHER
    return module if module in MODULES else OTHER


@dataclass(frozen=True)
class Push:
    """How far a peer is behind: objects it has not seen, and since when."""

    peer_id: str
    name: str
    backlog: int
    oldest_s: float
    failures: int


@dataclass(frozen=True)
class Standing:
    """What the store says at one moment."""

    charge_points: Mapping[str, int] = field(default_factory=dict)
    sessions_running: int = 0
    sessions_without_cdr: int = 0
    registrations: int = 0
    held_back: int = 0
    peers: Mapping[str, int] = field(default_factory=dict)
    push: tuple[Push, ...] = ()


async def standing(db: Database, now: datetime) -> Standing:
    """Ask the store; every figure is a count or a look-up in an index."""
    statuses = [status.value for status in EvseStatus]

    async def by(collection: str, name: str, values: Any) -> dict[str, int]:
        numbers = await asyncio.gather(
            *(db[collection].count_documents({name: value}) for value in values)
        )
        return dict(zip(values, numbers, strict=True))

    points, registrations, held, running, unbilled, peers, push = await asyncio.gather(
        by("charge_points", "ocpi_status", statuses),
        by("registrations", "status", ("REGISTERED", "DEREGISTERED")),
        db["registrations"].count_documents({"status": "REGISTERED", "ocpi.offered": False}),
        db["charging_sessions"].count_documents({"running": True, "last_heard": {"$gte": _EPOCH}}),
        db["charging_sessions"].count_documents({"cdr_problem": {"$exists": True}}),
        by("peers", "status", PEER_STATUSES),
        _push(db, now),
    )
    # EV_Central has no document of charge points that it never saw.
    seen = sum(n for status, n in points.items() if status != EvseStatus.REMOVED.value)
    points[EvseStatus.UNKNOWN.value] += max(0, registrations["REGISTERED"] - seen)
    points[EvseStatus.REMOVED.value] = registrations["DEREGISTERED"]
    return Standing(
        points, running, unbilled, registrations["REGISTERED"], held, peers, tuple(push)
    )


def build_metrics_router(db: Database, guard: OperatorGuard, counts: OcpiCounts) -> APIRouter:
    """`/metrics`, for the operator (Prometheus: basic_auth). With the store down it still
    answers: cpo_store_up 0, and what this process counted."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        refusal = guard.refusal(request)
        if refusal is not None:
            return Response(
                refusal.detail + "\n",
                refusal.http_status,
                headers=dict(refusal.headers),
                media_type="text/plain",
            )
        now = utc_now()
        try:
            state: Standing | None = await asyncio.wait_for(standing(db, now), STORE_WITHIN_S)
        except _NO_ANSWER:
            state = None
        families = [*_of_store(state), *_of_requests(counts), _build()]
        # And what other parts of this process count for themselves.
        families += [family for family in REGISTRY.collect() if family.name not in _OF_THE_STORE]
        registry = CollectorRegistry()
        registry.register(_Collected(families))
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(
            encode(registry),
            headers={"Content-Type": content_type, "Cache-Control": "no-store"},
        )

    return router


class _Collected:
    """Metrics that were gathered already, as prometheus_client takes them."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


async def _push(db: Database, now: datetime) -> list[Push]:
    stages: list[dict[str, Any]] = [
        {"$match": {"status": {"$in": ["connected", "suspended"]}}},
        {"$limit": MAX_PEERS},
        {"$project": {"name": 1}},
        {
            "$lookup": {
                "from": "marks",
                "localField": "_id",
                "foreignField": "peer_id",
                "pipeline": [{"$count": "n"}],
                "as": "backlog",
            }
        },
        {
            "$lookup": {
                "from": "marks",
                "localField": "_id",
                "foreignField": "peer_id",
                "pipeline": [
                    {"$sort": {"since": 1}},
                    {"$limit": 1},
                    {"$project": {"_id": 0, "since": 1}},
                ],
                "as": "oldest",
            }
        },
        {
            "$lookup": {
                "from": "push_lanes",
                "localField": "_id",
                "foreignField": "_id",
                "pipeline": [{"$project": {"failures": 1}}],
                "as": "lane",
            }
        },
    ]
    rows = await db["peers"].aggregate(stages).to_list(None)
    return [
        Push(
            peer_id=row["_id"],
            name=row["name"],
            backlog=row["backlog"][0]["n"] if row["backlog"] else 0,
            oldest_s=max(0.0, (now - row["oldest"][0]["since"]).total_seconds())
            if row["oldest"]
            else 0.0,
            failures=row["lane"][0].get("failures", 0) if row["lane"] else 0,
        )
        for row in rows
    ]


def _of_store(state: Standing | None) -> Iterator[Metric]:
    up = "1 if the store answered this scrape; without it the gauges below are missing."
    yield GaugeMetricFamily("cpo_store_up", up, value=0 if state is None else 1)
    if state is None:
        return
    yield _by_label(
        "cpo_charge_points", "Charge points by OCPI status.", "status", state.charge_points
    )
    yield GaugeMetricFamily("cpo_registrations", "Registered charge points.", state.registrations)
    yield GaugeMetricFamily(
        "cpo_registrations_held_back", "Registered, but not offered over OCPI.", state.held_back
    )
    yield GaugeMetricFamily(
        "cpo_sessions_running", "Sessions that hold a connector.", state.sessions_running
    )
    yield GaugeMetricFamily(
        "cpo_sessions_without_cdr",
        "Ended sessions whose bill could not be made.",
        state.sessions_without_cdr,
    )
    yield _by_label("cpo_peers", "Peers by status.", "status", state.peers)
    names = GaugeMetricFamily("cpo_peer_info", "1; what a peer is called.", labels=("peer", "name"))
    for push in state.push:
        names.add_metric((push.peer_id, push.name), 1)
    yield names
    rows = (
        ("cpo_push_backlog", "Objects whose present state the peer has not seen.", "backlog"),
        ("cpo_push_oldest_seconds", "How long the oldest of them has waited.", "oldest_s"),
        ("cpo_push_failures_in_a_row", "Pushes to the peer that failed in a row.", "failures"),
    )
    for name, said, attribute in rows:
        family = GaugeMetricFamily(name, said, labels=("peer",))
        for push in state.push:
            family.add_metric((push.peer_id,), getattr(push, attribute))
        yield family


def _of_requests(counts: OcpiCounts) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "cpo_ocpi_requests",
        "OCPI requests that this process answered.",
        labels=("module", "method", "status"),
    )
    for (module, method, status), number in counts.requests.items():
        requests.add_metric((module, method, str(status)), number)
    yield requests
    durations = HistogramMetricFamily(
        "cpo_ocpi_request_duration_seconds",
        "How long this process took for OCPI requests.",
        labels=("module",),
    )
    for module, row in counts.durations.items():
        reached, buckets = 0.0, []
        for bound, in_bucket in zip((*map(str, BUCKETS_S), "+Inf"), row, strict=False):
            reached += in_bucket
            buckets.append((bound, reached))
        durations.add_metric((module,), buckets, sum_value=row[-1])
    yield durations


@cache
def _build() -> Metric:
    try:
        ours = version("ocpi-cpo-backend")
    except PackageNotFoundError:
        ours = "unknown"
    family = GaugeMetricFamily(
        "cpo_build_info",
        "1; the labels say what runs.",
        labels=("version", "ocpi_library", "python"),
    )
    family.add_metric((ours, version("extrawest-ocpi"), platform.python_version()), 1)
    return family


def _by_label(name: str, said: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family
