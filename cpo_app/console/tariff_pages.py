"""The console's pages of tariffs: all of them and where they apply; one of them."""

import asyncio

import orjson
from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from cpo_app.console.tariff_editor import add_tariff_editor
from cpo_app.console.tariff_forms import SAMPLE_FIELDS, sample_defaults
from cpo_app.console.tariff_prices import preview
from db_interface.owned_objects import OwnedObjects, plain
from domain.objects import tariff_assignment
from domain.operator import tariffs
from domain.operator.lists.objects import total
from domain.platform_facts import default_tariff
from domain.pricing.tariff_words import tariff_in_words

MAX_ASSIGNED = 100
MAX_SHOWN = 100


def add_tariff_pages(router: APIRouter, console: Console) -> None:
    db = console.db
    add_tariff_editor(router, console)

    @router.get("/console/tariffs")
    async def tariff_table(request: Request, done: Done = None) -> Response:
        rows, number, assigned, default = await asyncio.gather(
            tariffs.table(db, limit=MAX_SHOWN),
            total(db, "tariffs"),
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

    @router.get("/console/objects/tariffs")
    async def tariff(
        request: Request, key: str = Query(..., max_length=200), done: Done = None
    ) -> Response:
        document = await OwnedObjects(db, "tariffs").document(key)
        if document is None:
            raise NotThere("There is no such tariff.")
        found = plain(document)
        zone = console.house.settings.CPO_TIME_ZONE or "UTC"
        sample = sample_defaults(console.clock(), zone)
        sample |= {
            name: request.query_params[name][:64]
            for name in SAMPLE_FIELDS
            if name in request.query_params
        }
        return console.page(
            request,
            "tariff.html",
            tariff=found,
            key=key,
            clauses=tariff_in_words(found).clauses,
            used=await tariffs.use_of(db, document),
            owner=f"{found['country_code']}/{found['party_id']}",
            text=orjson.dumps(found, option=orjson.OPT_INDENT_2).decode(),
            sample=sample,
            preview=preview(found, sample),
            done=said(done),
        )
