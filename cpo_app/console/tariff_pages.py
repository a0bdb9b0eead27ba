"""The console's pages of tariffs: all of them and where they apply; one of them."""

import asyncio

import orjson
from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.lists import add_list
from cpo_app.console.routes import NotThere
from cpo_app.console.tariff_editor import add_tariff_editor
from cpo_app.console.tariff_forms import SAMPLE_FIELDS, sample_defaults
from cpo_app.console.tariff_prices import preview
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObjects, plain
from domain.listing.listing import Asked
from domain.objects import tariff_assignment
from domain.operator import tariffs
from domain.operator.lists import tariffs as listed
from domain.platform_facts import default_tariff
from domain.pricing.tariff_words import tariff_in_words

MAX_ASSIGNED = 100


def add_tariff_pages(router: APIRouter, console: Console) -> None:
    db = console.db
    add_tariff_editor(router, console)

    async def where_they_apply(asked: Asked) -> JsonObject:
        assigned, default = await asyncio.gather(
            tariff_assignment.listed(db, limit=MAX_ASSIGNED), default_tariff(db)
        )
        return {"assigned": assigned, "default": default}

    add_list(
        router, console, "/console/tariffs", "tariffs.html", listed.LIST, more=where_they_apply
    )

    @router.get("/console/objects/tariffs")
    async def tariff(
        request: Request, key: str = Query(..., max_length=200), done: Done = None
    ) -> Response:
        document = await OwnedObjects(db, "tariffs").document(key)
        if document is None:
            raise NotThere("There is no such tariff.")
        found = plain(document)
        sample = sample_defaults(console.clock(), console.zones.of(request).key)
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
