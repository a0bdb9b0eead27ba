"""The pages of exchanges with peers: looking for them, one of them, and the way of a command."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import orjson
from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.lists import add_list, asked_of
from cpo_app.console.routes import NotThere
from cpo_app.operator_guard import demand
from db_interface.json_data import JsonObject
from domain.exchanges import listing
from domain.exchanges.exchange import time_of_id
from domain.exchanges.har import har_of
from domain.exchanges.looking_through import MAX_LOOKED_THROUGH, reach
from domain.listing.listing import Asked
from domain.operator.command_way import way_of
from domain.operator.lists.exchanges import exchanges_of, wanted
from domain.operator.named_things import things_called
from domain.operators.actor import Role

MAX_EXPORTED = 1000


def add_exchange_pages(router: APIRouter, console: Console) -> None:
    db = console.db
    exchanges = exchanges_of(console.vault)

    async def beside(asked: Asked) -> JsonObject:
        lost, oldest = await asyncio.gather(
            listing.lost_since(db, console.clock() - listing.LATELY),
            reach(db, wanted(console.vault, asked.values)),
        )
        back_to = None if oldest is None else time_of_id(oldest)
        return {
            "lost": lost,
            "most": MAX_LOOKED_THROUGH,
            "reach": back_to,
            # A time in a filter is to the second: that second is looked at twice.
            "further": back_to and back_to + timedelta(seconds=1),
        }

    add_list(
        router,
        console,
        "/console/exchanges",
        "exchanges.html",
        exchanges,
        needs=Role.OPERATOR,
        more=beside,
    )

    @router.get("/console/exchanges.har")
    async def archive(request: Request) -> Response:
        demand(Role.OPERATOR)
        asked = asked_of(console, request, exchanges)
        question = wanted(console.vault, asked.values)
        found = await listing.whole(db, question, limit=MAX_EXPORTED)
        har = har_of(found, base_url=console.house.settings.base_url)
        return Response(
            orjson.dumps(har),
            media_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="exchanges.har"'},
        )

    @router.get("/console/exchanges/{exchange_id}")
    async def exchange(request: Request, exchange_id: str) -> Response:
        demand(Role.OPERATOR)
        found = await listing.one(db, exchange_id)
        if found is None:
            raise NotThere("There is no such exchange: it is not kept any more.")
        facts = listing.facts_of(found)
        for name in ("request", "response"):
            facts[name]["text"] = listing.indented(facts[name]["body"] or "")
        things = await things_called(db, [one for one in facts["objects"] or () if one])
        return console.page(request, "exchange.html", one=facts, things=things)

    @router.get("/console/commands/{command_id}")
    async def way(request: Request, command_id: str) -> Response:
        demand(Role.OPERATOR)
        found = await way_of(db, command_id)
        if found is None:
            raise NotThere("There is no such command: it is not kept any more.")
        return console.page(request, "command.html", way=found, command=found["command"])
