"""OCPI objects as peers get them: CDRs, tariffs, locations, tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cpo_app.actions.house import House
from cpo_app.actions.readings import party_pair
from cpo_app.api.lists import (
    Id,
    Limit,
    OfParty,
    add_list,
    page,
    without_card,
)
from cpo_app.api.routes import answered
from db_interface.owned_objects import plain
from domain.objects import tariff_assignment
from domain.objects.finding import find_object
from domain.operator import tariffs
from domain.operator.lists import cards, cdrs, locations
from domain.operator.lists import tariffs as tariff_list
from domain.platform_facts import default_tariff

Seq = Annotated[
    int | None,
    Query(alias="cursor", ge=0, le=2**63 - 1, description="`next` of the page before."),
]


LISTS = {
    "cdrs": cdrs.LIST,
    "tariffs": tariff_list.LIST,
    "locations": locations.LIST,
    "tokens": cards.LIST,
}
_RAW = {"raw": 1, "seq": 1, "lid": 1, "owner": 1, **dict.fromkeys(cdrs.SORTED_BY, 1)}


def add_objects(router: APIRouter, house: House) -> None:
    for module, listing in LISTS.items():
        add_list(
            router,
            house,
            f"/{module}",
            listing,
            tag=module,
            name=f"{module}.list",
            meaning="As OCPI objects; `newest`, `oldest`: as they were created.",
            fields=_RAW,
            row=lambda row: without_card(plain(row)),
        )
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
