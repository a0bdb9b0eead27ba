"""The console's pages of what was charged and billed: sessions, CDRs, money, reconciliation."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from cpo_app.console import ocpi_objects
from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from domain.operator import money, reconciliation, sessions

MAX_FINDINGS = 200
MAX_ENTRIES = 100


def add_session_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/sessions")
    async def session_table(request: Request) -> Response:
        rows, number = await asyncio.gather(sessions.latest(db), ocpi_objects.total(db, "sessions"))
        return console.page(request, "sessions.html", rows=rows, total=number)

    @router.get("/console/money")
    async def money_table(request: Request, done: Done = None) -> Response:
        entries, counts = await asyncio.gather(money.entries(db, MAX_ENTRIES), money.counts(db))
        return console.page(request, "money.html", entries=entries, counts=counts, done=said(done))

    @router.get("/console/cdrs")
    async def cdr_table(request: Request, done: Done = None) -> Response:
        now = console.clock()
        rows, number, day, week = await asyncio.gather(
            ocpi_objects.latest_cdrs(db),
            ocpi_objects.total(db, "cdrs"),
            ocpi_objects.cdr_totals(db, now - timedelta(days=1)),
            ocpi_objects.cdr_totals(db, now - timedelta(days=7)),
        )
        named = [("24 hours", *day), ("7 days", *week)]
        return console.page(
            request, "cdrs.html", rows=rows, total=number, totals=named, done=said(done)
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
