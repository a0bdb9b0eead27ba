"""`/metrics` for Prometheus: what stands in the store, and what this host's workers counted.

Numbers only: no id of a driver, session or charge point, and peers by their id and name. What
comes from the store is true whichever process is asked. Counters are a process's own, or, where
`cpo serve --workers N` has set PROMETHEUS_MULTIPROC_DIR, the sum of all of its workers.
"""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.responses import Response

from auth.operator_access import Door
from cpo_app.exposition import exposed
from cpo_app.operator_guard import NotTheOperator, OperatorGuard
from db_interface.database import STORE_ERRORS, Database
from domain.operator.event_states import EventState
from domain.operator.snapshot import Snapshot, snapshot

STORE_WITHIN_S = 5.0
_NO_ANSWER: tuple[type[Exception], ...] = (*STORE_ERRORS, asyncio.TimeoutError)


def build_metrics_router(db: Database, guard: OperatorGuard) -> APIRouter:
    """`/metrics`, for who may at least look: Prometheus with an API key (authorization) or a
    password (basic_auth). With the store down it still answers whoever shows CPO_ADMIN_PASSWORD:
    cpo_store_up 0, and what was counted."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        try:
            await guard.actor(request, Door.METRICS)
        except NotTheOperator as refusal:
            return _said(refusal.http_status, refusal.detail, refusal.headers)
        except STORE_ERRORS:
            return _said(503, "the store cannot say who you are", {"Retry-After": "2"})
        try:
            state: Snapshot | None = await asyncio.wait_for(snapshot(db), STORE_WITHIN_S)
        except _NO_ANSWER:
            state = None
        body, content_type = exposed(
            request.headers.get("accept", ""),
            of_store(state, db.now()),
            peers=None if state is None else state.known_peers,
        )
        return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    return router


def _said(status: int, text: str, headers: Mapping[str, str]) -> Response:
    return Response(text + "\n", status, headers=dict(headers), media_type="text/plain")


def of_store(state: Snapshot | None, now: datetime) -> Iterator[Metric]:
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
        "cpo_power_watts",
        "What running sessions draw, by their latest meter values; silent ones are left out.",
        state.power_w,
    )
    yield GaugeMetricFamily(
        "cpo_sessions_without_cdr",
        "Ended sessions whose bill could not be made.",
        state.sessions_without_cdr,
    )
    yield GaugeMetricFamily(
        "cpo_charge_points_unaccounted_energy",
        "Charge points at which energy flows without a session that is known.",
        state.unaccounted,
    )
    yield _by_label(
        "cpo_money_needs_a_look",
        "Sessions whose bill is missing, guessed or in doubt.",
        "kind",
        state.money.by_kind,
    )
    yield _by_label(
        "cpo_dead_letters",
        "Telemetry that was not taken and is kept.",
        "kind",
        state.dead_letters,
    )
    yield GaugeMetricFamily(
        "cpo_unbilled_wh",
        "Energy that was delivered, as far as is known, and is on no CDR.",
        state.money.unbilled_wh,
    )
    yield _by_label(
        "cpo_sessions_signed",
        "Sessions with signed meter data, by what came of the check.",
        "signature",
        state.signatures,
    )
    yield _by_label(
        "cpo_register_findings",
        "What does not add up between registers, sessions and CDRs, by its kind.",
        "kind",
        {total.kind: total.number for total in state.register_findings},
    )
    yield _by_label(
        "cpo_register_findings_wh",
        "The energy that these are about.",
        "kind",
        {total.kind: total.energy_wh for total in state.register_findings},
    )
    yield _by_label(
        "cpo_cdrs_to_look_at",
        "CDRs that the peer has not got, refuses, shows otherwise or cannot tell of.",
        "peer",
        state.cdrs_to_look_at,
    )
    yield _by_label(
        "cpo_ocpp_stations", "Charge points' boxes that speak OCPP.", "state", state.stations
    )
    yield from _of_events(state.events, now)
    yield _by_label("cpo_peers", "Peers by status.", "status", state.peers)
    names = GaugeMetricFamily("cpo_peer_info", "1; what a peer is called.", labels=("peer", "name"))
    for peer in state.pushes:
        names.add_metric((peer.peer_id, peer.name), 1)
    yield names
    yield from _of_pushes(state, now)


def _of_pushes(state: Snapshot, now: datetime) -> Iterator[Metric]:
    backlog, oldest, failures, paused, lost = (
        GaugeMetricFamily(name, said, labels=("peer",))
        for name, said in (
            ("cpo_push_backlog", "Objects whose present state the peer has not seen."),
            ("cpo_push_oldest_seconds", "How long the oldest of them has waited."),
            ("cpo_push_failures_in_a_row", "Pushes to the peer that failed in a row."),
            ("cpo_push_breaker_open", "1 while nothing goes to the peer because it failed."),
            ("cpo_command_results_lost", "Results it did not take, of the last 24 hours."),
        )
    )
    for peer in state.pushes:
        push, labels = peer.push, (peer.peer_id,)
        waited_s = (now - push.oldest).total_seconds() if push.oldest else 0.0
        backlog.add_metric(labels, push.backlog)
        oldest.add_metric(labels, max(0.0, waited_s))
        failures.add_metric(labels, push.failures)
        paused.add_metric(labels, 1 if push.failures else 0)
        lost.add_metric(labels, state.lost_results.get(peer.peer_id, 0))
    yield from (backlog, oldest, failures, paused, lost)


def _of_events(state: EventState | None, now: datetime) -> Iterator[Metric]:
    """Nothing is behind where no events are kept."""
    oldest = None if state is None else state.oldest
    waited_s = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    values = (0, 0, 0) if state is None else (state.backlog, state.failures, len(state.put_off))
    for name, said, value in (
        ("cpo_events_backlog", "Objects whose present state Kafka was not told.", values[0]),
        ("cpo_events_oldest_seconds", "How long the oldest of them has waited.", waited_s),
        ("cpo_events_failures_in_a_row", "Attempts in a row that Kafka took nothing.", values[1]),
        ("cpo_events_put_off", "Events that Kafka would not have, alone.", values[2]),
    ):
        yield GaugeMetricFamily(name, said, value=value)


def _by_label(name: str, said: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=(label,))
    for value, number in values.items():
        family.add_metric((value,), number)
    return family
