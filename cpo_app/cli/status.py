"""`cpo status`: the running system on one screen; exit code 1 where a server is not ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir, settings_for
from cpo_app.cli.output import note, plain_text, print_facts, print_json, print_line
from cpo_app.cli.with_backend import on_backend
from cpo_app.doctor.servers import ask_servers
from db_interface.json_data import JsonObject
from domain.backups.last_backup import last_backup
from domain.operator import charge_points, peers
from domain.operator.snapshot import Snapshot, snapshot
from domain.peers.statuses import CONNECTED

MAX_NAMED = 5
"""Of each kind of trouble; the rest is counted."""


def status(
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of lines.")] = False,
    data_dir: DataDir = None,
) -> None:
    """The running system on one screen: servers, charge points, sessions, peers, what is wrong."""
    settings = settings_for(data_dir)
    if not settings.CPO_MONGO_URL and not settings.CPO_DATA_DIR.exists():
        raise CliError(f"{settings.CPO_DATA_DIR}: nothing was started here yet (cpo up)")
    found = on_backend(_look, data_dir)
    if as_json:
        print_json(found)
    else:
        trouble = found.pop("trouble")
        print_facts(dict(_lines(found)))
        for sentence in trouble:
            print_line(f"! {sentence}")
        note(f"{len(trouble)} to look at; cpo doctor says what to do" if trouble else "all is well")
    if not all(server["ready"] for server in found["servers"]):
        raise typer.Exit(1)


async def _look(backend: Backend) -> JsonObject:
    servers = await ask_servers(backend.settings)
    now = backend.db.now()
    state = await snapshot(backend.db)
    connected = await peers.table(backend.db, now, statuses=[CONNECTED])
    troubled = {f"{peer.name} ({peer.id})": peer.trouble for peer in connected if peer.trouble}
    points = await charge_points.in_trouble(backend.db, MAX_NAMED)
    return {
        "servers": [
            {"name": one.name, "url": one.url, "ready": one.ready, "said": one.said()}
            for one in servers
        ],
        "versions_url": backend.settings.versions_url,
        "charge_points": {kind: number for kind, number in state.charge_points.items() if number},
        "registrations": state.registrations,
        "sessions_running": state.sessions_running,
        "peers": {kind: number for kind, number in state.peers.items() if number},
        "backup": await last_backup(backend.db),
        "events_backlog": None if state.events is None else state.events.backlog,
        "push_backlog": sum(peer.push.backlog for peer in state.pushes),
        "trouble": [
            *(f"{one.name}: {one.said()}" for one in servers if not one.ready),
            *_of_charge_points(state, points),
            *_of_peers(troubled),
            *_of_money(state),
            *_of_events(state, now),
        ],
    }


def _lines(found: JsonObject) -> Iterator[tuple[str, str]]:
    for server in found["servers"]:
        yield server["name"], f"{server['said']}   {server['url']}"
    yield "OCPI", found["versions_url"]
    yield "Charge points", _counted(found["registrations"], found["charge_points"])
    yield "Sessions", f"{found['sessions_running']} running"
    yield "Peers", _counted(sum(found["peers"].values()), found["peers"])
    backup = found["backup"]
    yield "Backup", f"as of {plain_text(backup['at'])} UTC" if backup else "none was made"
    yield "Push", f"{found['push_backlog']} objects wait"
    if found["events_backlog"] is not None:
        yield "Kafka", f"{found['events_backlog']} objects wait"


def _counted(number: int, kinds: Mapping[str, int]) -> str:
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"{number}: {said}" if said else str(number)


def _of_charge_points(state: Snapshot, points: list[JsonObject]) -> Iterator[str]:
    bad = {status.value: state.charge_points[status.value] for status in charge_points.TROUBLE}
    if sum(bad.values()):
        names = " ".join(row["id"] for row in points)
        more = " ..." if sum(bad.values()) > len(points) else ""
        counts = ", ".join(f"{number} {kind}" for kind, number in bad.items() if number)
        yield f"charge points: {counts} ({names}{more})"
    if state.held_back:
        yield f"charge points: {state.held_back} not offered over OCPI (cpo charge-points list)"
    if state.unaccounted:
        yield f"charge points: energy flows without a session at {state.unaccounted}"


def _of_events(state: Snapshot, now: datetime) -> Iterator[str]:
    trouble = None if state.events is None else state.events.trouble(now)
    if trouble is not None:
        yield f"events: {trouble} (cpo events status)"


def _of_peers(troubled: Mapping[str, list[str]]) -> Iterator[str]:
    for name, sentences in list(troubled.items())[:MAX_NAMED]:
        yield f"peer {''.join(c if c.isprintable() else ' ' for c in name)}: {sentences[0]}"
    if len(troubled) > MAX_NAMED:
        yield f"peers: {len(troubled) - MAX_NAMED} more are in trouble (cpo peers list)"


def _of_money(state: Snapshot) -> Iterator[str]:
    kinds = {kind: number for kind, number in state.money.by_kind.items() if number}
    if kinds:
        yield f"money: {_counted(sum(kinds.values()), kinds)} (cpo sessions trouble)"
    wrong = {peer: number for peer, number in state.cdrs_to_look_at.items() if number}
    if wrong:
        yield f"CDRs at peers: {_counted(sum(wrong.values()), wrong)} (cpo reconcile cdrs)"
    findings = sum(total.number for total in state.register_findings)
    if findings:
        yield f"registers: {findings} do not add up (cpo reconcile registers)"
