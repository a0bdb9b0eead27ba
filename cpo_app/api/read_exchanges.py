"""Exchanges with peers, and the way of one command; for operators, as they hold what peers and
drivers have sent, though no secret."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cpo_app.actions.house import House
from cpo_app.api.lists import From, Id, To, add_list, not_there, utc
from cpo_app.api.routes import answered
from cpo_app.operator_guard import demand
from domain.exchanges import listing
from domain.exchanges.har import har_of
from domain.exchanges.search_keys import Wanted
from domain.operator.command_way import way_of
from domain.operator.lists.exchanges import exchanges_of
from domain.operators.actor import Role

MAX_EXPORTED = 1000

_Peer = Annotated[str | None, Query(max_length=64)]
_Text = Annotated[str | None, Query(max_length=20)]
_Object = Annotated[
    str | None, Query(alias="object", max_length=200, description="An id, or a card's UID.")
]
_Correlation = Annotated[
    str | None, Query(max_length=200, description="X-Correlation-ID or X-Request-ID.")
]
_Status = Annotated[
    str | None,
    Query(max_length=10, description="failed, refused, or a status that is no success."),
]
_Direction = Annotated[str | None, Query(max_length=5, description="in or out.")]


def add_exchanges(router: APIRouter, house: House) -> None:
    db = house.store.db

    def wanted(
        peer: str | None,
        module: str | None,
        object_id: str | None,
        correlation: str | None,
        status: str | None,
        direction: str | None,
        since: From,
        to: To,
    ) -> Wanted:
        demand(Role.OPERATOR)
        return listing.wanted_of(
            house.vault,
            peer=peer,
            module=module,
            object_id=object_id,
            correlation=correlation,
            status=status,
            direction=direction,
            since=utc(since),
            until=utc(to),
        )

    add_list(
        router,
        house,
        "/exchanges",
        exchanges_of(house.vault),
        tag="exchanges",
        meaning="What peers and we asked each other, without headers and bodies; for operators.",
        needs=Role.OPERATOR,
    )

    @router.get("/exchanges-har", tags=["exchanges"])
    async def har(
        limit: Annotated[int, Query(ge=1, le=MAX_EXPORTED)] = 100,
        peer: _Peer = None,
        module: _Text = None,
        object_id: _Object = None,
        correlation: _Correlation = None,
        status: _Status = None,
        direction: _Direction = None,
        since: From = None,
        to: To = None,
    ) -> Response:
        """The latest of them as an HTTP Archive (HAR 1.2), for a partner; for operators."""
        question = wanted(peer, module, object_id, correlation, status, direction, since, to)
        found = await listing.whole(db, question, limit=limit)
        return answered(har_of(found, base_url=house.settings.base_url))

    @router.get("/exchanges/{exchange_id}", tags=["exchanges"])
    async def exchange(exchange_id: Id) -> Response:
        """One, with headers and bodies as far as they are kept; for operators."""
        demand(Role.OPERATOR)
        found = await listing.one(db, exchange_id)
        if found is None:
            raise not_there("exchange", exchange_id)
        return answered(listing.facts_of(found))

    @router.get("/commands/{command_id}/way", tags=["commands"])
    async def way(command_id: Id) -> Response:
        """From the peer's request over Central and the charge point to the result; for
        operators."""
        demand(Role.OPERATOR)
        found = await way_of(db, command_id)
        if found is None:
            raise not_there("command", command_id)
        return answered(found)
