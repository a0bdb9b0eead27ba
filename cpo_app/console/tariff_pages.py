"""The console's page of tariffs, and where they apply."""

import asyncio

from fastapi import APIRouter, Request, Response

from cpo_app.console import ocpi_objects
from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from domain.objects import tariff_assignment
from domain.operator import tariffs
from domain.platform_facts import default_tariff

MAX_ASSIGNED = 100
MAX_SHOWN = 100


def add_tariff_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/tariffs")
    async def tariff_table(request: Request, done: Done = None) -> Response:
        rows, number, assigned, default = await asyncio.gather(
            tariffs.table(db, limit=MAX_SHOWN),
            ocpi_objects.total(db, "tariffs"),
            tariff_assignment.listed(db, limit=MAX_ASSIGNED),
            default_tariff(db),
        )
        return console.page(
            request,
            "tariffs.html",
            rows=rows,
            total=number,
            assigned=assigned,
            default=default,
            done=said(done),
        )
