"""`/metrics` as Prometheus reads it: figures of the store, and what this process answered."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from cpo_app.operator.metrics import OcpiCounts, OcpiMetrics, module_of
from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.console.worlds import Night


@pytest.fixture
def night(db: Database, loop: Loop) -> Night:
    return Night(db, loop).fill()


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_are_those_of_the_store(night: Night) -> None:
    answer = night.visit().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = samples(answer.text)
    points = {key[1][0][1]: value for key, value in found.items() if key[0] == "cpo_charge_points"}
    assert points == {
        "AVAILABLE": 0,
        "BLOCKED": 0,
        "CHARGING": 1,
        "INOPERATIVE": 1,
        "OUTOFORDER": 1,
        "REMOVED": 1,
        "RESERVED": 0,
        "UNKNOWN": 2,
    }
    assert found["cpo_store_up", ()] == 1
    assert found["cpo_registrations", ()] == 5
    assert found["cpo_registrations_held_back", ()] == 1
    assert found["cpo_sessions_running", ()] == 1
    assert found["cpo_sessions_without_cdr", ()] == 1
    assert found["cpo_peers", (("status", "connected"),)] == 1
    assert found["cpo_peers", (("status", "invited"),)] == 1
    peer = (("peer", night.peer_id),)
    assert found["cpo_push_backlog", peer] > 3
    assert found["cpo_push_oldest_seconds", peer] > 3000
    assert any(key[0] == "cpo_build_info" for key in found)
    for secret in night.secrets:
        assert secret not in answer.text


def test_prometheus_own_format_is_spoken_too(night: Night) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = night.visit().get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    names = {family.name for family in openmetrics.text_string_to_metric_families(answer.text)}
    assert {"cpo_charge_points", "cpo_ocpi_requests", "cpo_push_backlog"} <= names


def test_ocpi_requests_are_counted_and_others_are_not(night: Night) -> None:
    visit = night.visit()
    for _ in range(3):
        visit.get("/ocpi/cpo/2.2.1/locations/X")
    visit.get("/console/peers")
    found = samples(visit.get("/metrics").text)
    labels = (("method", "GET"), ("module", "locations"), ("status", "404"))
    counted = {key: value for key, value in found.items() if key[0] == "cpo_ocpi_requests_total"}
    assert counted == {("cpo_ocpi_requests_total", labels): 3}
    name = "cpo_ocpi_request_duration_seconds"
    assert found[f"{name}_count", (("module", "locations"),)] == 3
    assert found[f"{name}_bucket", (("le", "+Inf"), ("module", "locations"))] == 3
    assert 0 < found[f"{name}_sum", (("module", "locations"),)] < 3


def test_a_histogram_counts_each_duration_up_to_its_bound() -> None:
    counts = OcpiCounts()
    for seconds in (0.0005, 0.001, 0.3, 99.0):
        counts.note("cdrs", "GET", 200, seconds)
    row = counts.durations["cdrs"]
    assert (row[0], sum(row[:-1]), row[-2]) == (2, 4, 1)
    assert row[-1] == pytest.approx(99.3015)


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("/ocpi/versions", "versions"),
        ("/ocpi/2.2.1/details", "versions"),
        ("/ocpi/cpo/2.2.1/locations", "locations"),
        ("/ocpi/cpo/2.2.1/locations/L/E/1", "locations"),
        ("/ocpi/cpo/2.2.1/commands/START_SESSION", "commands"),
        ("/ocpi/cpo/2.2.1/invented-by-a-stranger", "other"),
        ("/ocpi/", "other"),
        ("/ocpi/emsp/2.2.1/locations", "other"),
    ],
)
def test_modules_come_out_of_a_short_list(path: str, module: str) -> None:
    assert module_of(path, "/ocpi/") == module


def test_a_request_that_breaks_off_counts_as_500() -> None:
    counts = OcpiCounts()

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError

    app = OcpiMetrics(broken, prefix="ocpi", counts=counts)
    with pytest.raises(ValueError):
        asyncio.run(app(_scope("/ocpi/versions", "BREW"), _receive, _send))
    assert counts.requests == {("versions", "other", 500): 1}


def test_a_request_costs_microseconds() -> None:
    """Wide of the goal (5 µs), as this machine may be busy; the best of some rounds."""
    counts = OcpiCounts()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = OcpiMetrics(inner, prefix="ocpi", counts=counts)
    scope = _scope("/ocpi/cpo/2.2.1/locations", "GET")

    async def best_of(asgi: Any) -> float:
        rounds = []
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(500):
                await asgi(scope, _receive, _send)
            rounds.append((time.perf_counter() - begun) / 500)
        return min(rounds)

    cost_s = asyncio.run(best_of(app)) - asyncio.run(best_of(inner))
    print(f"cost {cost_s * 1e6:.2f} µs")
    assert cost_s < 20e-6


def _scope(path: str, method: str) -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method}


async def _receive() -> dict[str, Any]:
    return {"type": "http.request"}


async def _send(message: Any) -> None: ...
