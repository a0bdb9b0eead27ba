"""What is done to tariffs: brought in, removed, named the default."""

from __future__ import annotations

from pydantic import Field

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from cpo_app.actions.objects import IMPORTED, OUR_PARTY, Imported, import_objects
from cpo_app.actions.readings import party_pair
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.imports.file_import import nothing_guarded
from domain.imports.tariff_import import read_tariff
from domain.objects.finding import NotFoundById
from domain.objects.tariff_removal import TariffInUse, name_default, remove_tariff
from domain.operators.actor import Role

_REFUSALS: dict[type[Exception], int] = {NotFoundById: 404, TariffInUse: 409}


class Removing(Parameters):
    tariff_id: str = Field(..., min_length=1, max_length=36, title="Tariff")
    party: str | None = OUR_PARTY
    force: bool = Field(False, title="Also when connectors name it, or it is the default")


class Naming(Parameters):
    tariff_id: str | None = Field(None, max_length=36, title="Tariff (empty: have none)")


async def _import(house: House, given: Imported) -> JsonObject:
    return await import_objects(house, given, "tariffs", read_tariff, nothing_guarded)


async def _remove(house: House, given: Removing) -> JsonObject:
    party = party_pair(given.party)
    return {
        "tariff_id": await remove_tariff(house.store, given.tariff_id, party, force=given.force)
    }


async def _default(house: House, given: Naming) -> JsonObject:
    name = await name_default(house.store, given.tariff_id)
    return {"tariff_id": name, "outcome": "none" if name is None else "named"}


def _about(given: Removing | Naming) -> tuple[About, ...]:
    return () if given.tariff_id is None else (audit.tariff(given.tariff_id),)


IMPORT = Action(
    name="tariffs.import",
    title="Import tariffs",
    meaning="Takes OCPI tariffs over, new ones and changed ones; what contradicts itself is "
    "refused with the reason.",
    done=IMPORTED,
    needs=Role.MONEY,
    path="/tariffs",
    parameters=Imported,
    run=_import,
    about=lambda given: (),
    refusals=_REFUSALS,
)
REMOVE = Action(
    name="tariffs.remove",
    title="Remove",
    meaning="Removes a tariff; sessions that run under it keep it as it was.",
    done="Removed.",
    needs=Role.MONEY,
    path="/tariffs/{tariff_id}/remove",
    parameters=Removing,
    run=_remove,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
DEFAULT = Action(
    name="tariffs.default",
    title="Name the default tariff",
    meaning="The tariff of connectors that name none, from now on; sessions that run keep theirs.",
    done={
        "named": "Named: it prices connectors that name no tariff.",
        "none": "There is no default tariff: connectors that name none are free of charge.",
    },
    needs=Role.MONEY,
    path="/tariffs/default",
    parameters=Naming,
    run=_default,
    about=_about,
    refusals=_REFUSALS,
)
ACTIONS = (IMPORT, REMOVE, DEFAULT)
