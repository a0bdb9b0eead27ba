"""The pages of exchanges with peers: looking for them, one of them, and the way of a command."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.routes import NotThere
from cpo_app.operator_guard import demand
from db_interface.json_data import JsonObject
from domain.exchanges import listing
from domain.exchanges.exchange import MODULES
from domain.exchanges.har import har_of
from domain.exchanges.search_keys import BadSearch
from domain.operator.command_way import way_of
from domain.operators.actor import Role
from domain.times import parse_datetime

PAGE = 100
MAX_EXPORTED = 1000
_Short = Annotated[str, Query(max_length=64)]
_Long = Annotated[str, Query(max_length=200)]
_Cursor = Annotated[str | None, Query(max_length=60)]


def add_exchange_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/exchanges")
    async def exchanges(
        request: Request,
        peer: _Short = "",
        module: _Short = "",
        object: _Long = "",
        correlation: _Long = "",
        status: _Short = "",
        direction: _Short = "",
        since: _Short = "",
        until: _Short = "",
        cursor: _Cursor = None,
    ) -> Response:
        demand(Role.OPERATOR)
        given = {
            "peer": peer.strip(),
            "module": module,
            "object": object.strip(),
            "correlation": correlation.strip(),
            "status": status.strip(),
            "direction": direction,
            "since": since.strip(),
            "until": until.strip(),
        }
        problem, following = None, None
        rows: list[JsonObject] = []
        try:
            wanted = listing.wanted_of(console.vault, **_asked(given))
            rows, following = await listing.listed(db, wanted, limit=PAGE, cursor=cursor)
        except BadSearch as error:
            problem = str(error)
        return console.page(
            request,
            "exchanges.html",
            rows=rows,
            given=given,
            query=urlencode({name: value for name, value in given.items() if value}),
            cursor=following,
            modules=MODULES,
            problem=problem,
            lost=await listing.lost_since(db, console.clock() - listing.LATELY),
        )

    @router.get("/console/exchanges.har")
    async def archive(
        peer: _Short = "",
        module: _Short = "",
        object: _Long = "",
        correlation: _Long = "",
        status: _Short = "",
        direction: _Short = "",
        since: _Short = "",
        until: _Short = "",
    ) -> Response:
        demand(Role.OPERATOR)
        given = {
            "peer": peer,
            "module": module,
            "object": object,
            "correlation": correlation,
            "status": status,
            "direction": direction,
            "since": since,
            "until": until,
        }
        try:
            wanted = listing.wanted_of(console.vault, **_asked(given))
        except BadSearch as error:
            raise NotThere(str(error)) from None
        found = await listing.whole(db, wanted, limit=MAX_EXPORTED)
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
        return console.page(request, "exchange.html", one=facts)

    @router.get("/console/commands/{command_id}")
    async def way(request: Request, command_id: str) -> Response:
        demand(Role.OPERATOR)
        found = await way_of(db, command_id)
        if found is None:
            raise NotThere("There is no such command: it is not kept any more.")
        return console.page(request, "command.html", way=found, command=found["command"])


def _asked(given: dict[str, str]) -> listing.Asked:
    return {
        "peer": given["peer"],
        "module": given["module"],
        "object_id": given["object"],
        "correlation": given["correlation"],
        "status": given["status"],
        "direction": given["direction"],
        "since": _moment(given["since"]),
        "until": _moment(given["until"]),
    }


def _moment(text: str) -> datetime | None:
    """Raises BadSearch."""
    if not text:
        return None
    try:
        whole = text.replace(" ", "T") if "T" in text or " " in text else f"{text}T00:00:00"
        return parse_datetime(whole if whole.endswith("Z") else f"{whole}Z")
    except ValueError:
        raise BadSearch(f"{text}: is no time like 2025-05-01 12:00:00") from None
