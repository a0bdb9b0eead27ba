"""OCPI objects as peers get them: CDRs, tariffs, locations, tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cpo_app.actions.house import House
from cpo_app.actions.readings import party_pair
from cpo_app.api.lists import (
    From,
    Id,
    Limit,
    OfChargePoint,
    OfParty,
    OfPeer,
    To,
    between,
    page,
    without_card,
)
from cpo_app.api.routes import answered
from db_interface.json_data import JsonObject
from db_interface.owned_objects import party_key, plain
from domain.charge_points.charge_points import canonical_id
from domain.objects import tariff_assignment
from domain.objects.finding import find_object
from domain.operator import tariffs
from domain.peers.peers import audiences_of
from domain.platform_facts import default_tariff
from domain.sites import ocpi_id

Seq = Annotated[
    int | None,
    Query(alias="cursor", ge=0, le=2**63 - 1, description="`next` of the page before."),
]


def add_objects(router: APIRouter, house: House) -> None:
    _cdrs(router, house)
    for module in ("tariffs", "locations", "tokens"):
        _list_of(router, house, module)
    for module in ("cdrs", "tariffs", "locations", "tokens"):
        _one_of(router, house, module)

    @router.get("/tariffs-default", tags=["tariffs"])
    async def default() -> Response:
        """The tariff of connectors that name none."""
        return answered({"tariff_id": await default_tariff(house.store.db)})

    @router.get("/tariffs/{object_id}/summary", tags=["tariffs"])
    async def summary(object_id: Id, party: OfParty = None) -> Response:
        """A tariff as a person would read it, clause by clause, and where it is used."""
        found = await find_object(house.store, "tariffs", object_id, party_pair(party))
        return answered(await tariffs.summary(house.store.db, found))

    @router.get("/tariffs-assigned", tags=["tariffs"])
    async def assigned(limit: Limit = 100, seq: Seq = None) -> Response:
        """The operator's words on which tariffs apply where, by location, the latest created
        first."""
        rows = await tariff_assignment.listed(house.store.db, limit=limit + 1, after=seq)
        following = rows[limit - 1]["seq"] if len(rows) > limit else None
        return page(rows[:limit], following)

    @router.get("/locations/{object_id}/tariffs", tags=["tariffs"])
    async def at_location(object_id: Id, party: OfParty = None) -> Response:
        """The tariffs of each connector of a location, and whose word that is (`source`): the
        operator's on the "connector", the "EVSE" or the "location", else what is "given" by
        registration or import, else "default" or "none"."""
        found = await find_object(house.store, "locations", object_id, party_pair(party))
        return answered(await tariff_assignment.tariffs_at(house.store.db, found))


def _cdrs(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/cdrs", tags=["cdrs"], name="cdrs.list", operation_id="cdrs.list")
    async def cdr_list(
        limit: Limit = 100,
        seq: Seq = None,
        party: OfParty = None,
        charge_point: OfChargePoint = None,
        peer: OfPeer = None,
        session: Annotated[str | None, Query(max_length=64, description="Of this session.")] = None,
        credit: Annotated[bool | None, Query(description="Credit CDRs, or all others.")] = None,
        since: From = None,
        to: To = None,
    ) -> Response:
        """As OCPI objects, the latest created first; `from`, `to`: when they were."""
        query: JsonObject = {}
        if charge_point is not None:
            known = await canonical_id(db, charge_point) or charge_point
            query["fields.cdr_location.evse_uid"] = ocpi_id(known)
        if peer is not None:
            query["audience"] = {"$in": await audiences_of(db, peer)}
        if session is not None:
            query["links.session"] = session.lower()
        if credit is not None:
            query["fields.credit"] = True if credit else {"$ne": True}
        created = between(since, to)
        if created is not None:
            query["last_updated"] = created
        return await _page_of(house, "cdrs", query, party, limit, seq)


def _list_of(router: APIRouter, house: House, module: str) -> None:
    @router.get(f"/{module}", tags=[module], name=f"{module}.list", operation_id=f"{module}.list")
    async def object_list(limit: Limit = 100, seq: Seq = None, party: OfParty = None) -> Response:
        """As OCPI objects, the latest created first."""
        return await _page_of(house, module, {}, party, limit, seq)


def _one_of(router: APIRouter, house: House, module: str) -> None:
    @router.get(
        f"/{module}/{{object_id}}",
        tags=[module],
        name=f"{module}.show",
        operation_id=f"{module}.show",
    )
    async def one(object_id: Id, party: OfParty = None) -> Response:
        """One of them, whatever the case of its id."""
        found = await find_object(house.store, module, object_id, party_pair(party))
        return answered(without_card(plain(found)))


async def _page_of(
    house: House, module: str, query: JsonObject, party: str | None, limit: int, seq: int | None
) -> Response:
    pair = party_pair(party)
    if pair is not None:
        query["owner"] = party_key(*pair)
    if seq is not None:
        query["seq"] = {"$lt": seq}
    rows = await house.store.objects(module).documents(
        query, fields={"raw": 1, "seq": 1}, sort=[("seq", -1)], limit=limit + 1
    )
    following = rows[limit - 1]["seq"] if len(rows) > limit else None
    return page([without_card(plain(row)) for row in rows[:limit]], following)
