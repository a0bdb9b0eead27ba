"""`cpo reconcile`: does it all add up?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_json
from cpo_app.cli.tables import print_table
from cpo_app.cli.times import moment
from cpo_app.cli.with_backend import on_backend
from domain.charge_points.charge_points import canonical_id
from domain.reconciliation.cdr_arrivals import SAID as ARRIVAL_SAID
from domain.reconciliation.cdr_arrivals import Arrivals, Outcome
from domain.reconciliation.cdr_totals import CdrTotal
from domain.reconciliation.register_chain import SAID
from domain.reconciliation.register_findings import RegisterReport, reconcile_registers

app = typer.Typer(help="Reconciliation: registers, peers' CDRs.", no_args_is_help=True)

Since = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="From then on (UTC); CPO_RECONCILE_DAYS ago."),
]
Until = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then (UTC); now.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@app.command()
def registers(
    charge_point: Annotated[
        str | None, typer.Option(metavar="CP_ID", help="Of this charge point alone.")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Follow each connector's register from session to session: energy outside of sessions,
    claimed twice, or billed otherwise than it was measured."""
    start, end = moment(since, "--from"), moment(until, "--to")

    async def work(backend: Backend) -> RegisterReport:
        known = None
        if charge_point is not None:
            known = await canonical_id(backend.db, charge_point)
            if known is None:
                raise CliError(f"{charge_point}: no such charge point")
        window = _window(backend, start, end)
        return await reconcile_registers(backend.db, *window, cp_id=known)

    report = on_backend(work, data_dir)
    rows = [
        {
            "kind": one.kind.value,
            "cp_id": one.cp_id,
            "connector_id": one.connector_id,
            "session_id": one.session_id,
            "previous_id": one.previous_id,
            "energy_wh": one.energy_wh,
            "at": one.at,
        }
        for one in report.findings
    ]
    if as_json:
        print_json(
            {
                "from": report.since,
                "to": report.until,
                "sessions": report.sessions,
                "without_reading": report.without_reading,
                "findings": rows,
            }
        )
        return
    if rows:
        print_table(
            ("What", "Charge point", "Connector", "Session", "After", "Wh", "Opened"),
            (tuple(row.values()) for row in rows),
        )
    for kind in sorted({one.kind for one in report.findings}, key=lambda kind: kind.value):
        note(f"{kind.value}: {SAID[kind]}")
    note(
        f"{report.sessions} sessions, {report.without_reading} of them without a register's "
        f"reading; {len(rows)} do not add up"
    )


@app.command()
def cdrs(
    peer_id: Annotated[
        str | None, typer.Option("--peer", metavar="ID", help="This peer alone; else all.")
    ] = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Prove that each CDR has arrived at its peer: by the receipt, else by asking. What a peer
    has not got is sent again by the servers."""
    start, end = moment(since, "--from"), moment(until, "--to")

    async def work(backend: Backend) -> list[Arrivals]:
        window = _window(backend, start, end)
        if peer_id is None:
            return await backend.cdr_reconciliation.all(*window)
        return [await backend.cdr_reconciliation.of(peer_id, *window)]

    results = on_backend(work, data_dir)
    if as_json:
        print_json([result.fields() for result in results])
        return
    rows = [
        (result.peer_id, outcome.value, *_sums(total))
        for result in results
        for outcome, sums in result.totals.items()
        for total in sums.rows()
    ]
    if rows:
        columns = ("Peer", "What", "CDRs", "kWh", "Excl. VAT", "Incl. VAT", "Currency")
        print_table(columns, rows)
    for outcome in Outcome:
        if any(outcome in result.totals for result in results):
            note(f"{outcome.value}: {ARRIVAL_SAID[outcome]}")
    for result in results:
        for one in result.named:
            note(f"{result.peer_id}: CDR {one['cdr_id']} {one['outcome']}")
        if result.problem is not None:
            note(f"{result.peer_id}: {result.problem}")
    note(f"{sum(result.number() for result in results)} CDRs at {len(results)} peers")


def _sums(total: CdrTotal) -> tuple[Any, ...]:
    cost = total.cost
    return (
        *(total.number, float(total.energy_kwh)),
        *(float(cost.excl), float(cost.incl), total.currency),
    )


def _window(
    backend: Backend, start: datetime | None, end: datetime | None
) -> tuple[datetime, datetime]:
    now = backend.db.now()
    days = timedelta(days=backend.settings.CPO_RECONCILE_DAYS)
    window = start or (end or now) - days, end or now
    if window[0] >= window[1]:
        raise CliError("--from is not before --to")
    return window
