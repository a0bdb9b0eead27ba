"""The console's pages of what does not add up: money, reconciliation."""

import asyncio

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from domain.operator import money, reconciliation
from domain.operator.alike import together
from domain.operator.lists.sessions import LOOKS

MAX_FINDINGS = 200
MAX_ENTRIES = 100


def add_session_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/money")
    async def money_table(request: Request, done: Done = None) -> Response:
        entries, counts = await asyncio.gather(money.entries(db, MAX_ENTRIES), money.counts(db))
        return console.page(
            request,
            "money.html",
            groups=together(entries),
            counts=counts,
            looks={kind.value: name for name, kind in LOOKS.items()},
            shown_of=MAX_ENTRIES if max(counts.by_kind.values()) > MAX_ENTRIES else None,
            done=said(done),
        )

    @router.get("/console/reconciliation")
    async def reconciled(request: Request) -> Response:
        totals, (findings, looked), results = await asyncio.gather(
            reconciliation.register_totals(db),
            reconciliation.register_findings(db, MAX_FINDINGS),
            reconciliation.cdr_results(db),
        )
        return console.page(
            request,
            "reconciliation.html",
            totals=totals,
            findings=findings,
            looked=looked,
            results=results,
        )
