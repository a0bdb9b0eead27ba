"""What is done to tariffs: brought in, removed, named the default, assigned to places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters, Refused
from cpo_app.actions.house import House
from cpo_app.actions.objects import IMPORTED, OUR_PARTY, Imported, import_objects
from cpo_app.actions.readings import party_pair, words
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.imports.tariff_import import read_tariff
from domain.objects import tariff_assignment
from domain.objects.finding import NotFoundById, find_object
from domain.objects.tariff_assignment import MAX_TARIFFS, NotAssigned
from domain.objects.tariff_removal import TariffInUse, name_default, remove_tariff
from domain.operators.actor import Role

_REFUSALS: dict[type[Exception], int] = {NotFoundById: 404, TariffInUse: 409, NotAssigned: 409}


NEW = "new"


class ImportedTariffs(Imported):
    seen: str | None = Field(
        None,
        max_length=40,
        title="Only if it is unchanged since this last_updated (new: if there is none of that id)",
    )


class Removing(Parameters):
    tariff_id: str = Field(..., min_length=1, max_length=36, title="Tariff")
    party: str | None = OUR_PARTY
    force: bool = Field(False, title="Also when connectors name it, or it is the default")


class Naming(Parameters):
    tariff_id: str | None = Field(None, max_length=36, title="Tariff (empty: have none)")


class AtPlace(Parameters):
    location_id: str = Field(..., min_length=1, max_length=100, title="Location")
    party: str | None = OUR_PARTY
    evse_uid: str | None = Field(None, max_length=36, title="EVSE (empty: all of the location)")
    connector_id: str | None = Field(
        None, max_length=36, title="Connector (empty: all of the EVSE)"
    )


class Assigning(AtPlace):
    tariff_ids: list[str] = Field(
        ..., min_items=1, max_items=MAX_TARIFFS, title="Tariffs, the preferred one first"
    )

    @validator("tariff_ids", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


async def _assign(house: House, given: Assigning) -> JsonObject:
    party = party_pair(given.party)

    async def work(tx: Tx) -> str:
        return await tariff_assignment.assign(
            tx,
            given.location_id,
            given.tariff_ids,
            party=party,
            evse_uid=given.evse_uid,
            connector_id=given.connector_id,
        )

    return await _at_location(house, given, await house.store.transact(work))


async def _unassign(house: House, given: AtPlace) -> JsonObject:
    party = party_pair(given.party)

    async def work(tx: Tx) -> str:
        return await tariff_assignment.unassign(
            tx,
            given.location_id,
            party=party,
            evse_uid=given.evse_uid,
            connector_id=given.connector_id,
        )

    return await _at_location(house, given, await house.store.transact(work))


async def _at_location(house: House, given: AtPlace, key: str) -> JsonObject:
    document = await find_object(house.store, "locations", key)
    applied = await tariff_assignment.tariffs_at(house.store.db, document)
    return {"location_id": given.location_id, "key": key, **applied}


def _at(given: AtPlace) -> tuple[About, ...]:
    return (audit.location(given.location_id),)


async def _import(house: House, given: ImportedTariffs) -> JsonObject:
    if given.seen is None:
        return await import_objects(house, given, "tariffs", read_tariff)
    if len(given.objects) != 1:
        raise Refused(422, "seen: is said of one tariff")
    guard = partial(_as_seen, given.seen)
    done = await import_objects(house, given, "tariffs", read_tariff, guard)
    if done["number_refused"]:
        why = "; ".join(one["text"] for one in done["refused"])
        raise Refused(422, why)
    return done


async def _as_seen(seen: str, objects: Sequence[OwnedObject], tx: Tx) -> dict[str, str]:
    """Let nobody write over a change that he has not seen. Raises Refused."""
    for obj in objects:
        there = await tx.store.objects("tariffs").document(obj.key, tx)
        name = obj.key_parts[-1]
        if there is None and seen != NEW:
            raise Refused(409, f"{name} was removed meanwhile")
        if there is not None and seen == NEW:
            raise Refused(409, f"there is a tariff {name} already")
        if there is not None and there["fields"]["last_updated"] != seen:
            changed = there["fields"]["last_updated"]
            raise Refused(409, f"{name} was changed meanwhile, at {changed}: load it anew")
    return {}


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
    parameters=ImportedTariffs,
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
ASSIGN = Action(
    name="tariffs.assign",
    title="Assign tariffs",
    meaning="Says which tariffs apply at a location, an EVSE or a connector; the closest word "
    "counts. It goes over what a registration or an import says, and is kept when they come anew. "
    "Sessions that run keep theirs.",
    done="Assigned: peers see these tariffs there from now on.",
    needs=Role.MONEY,
    path="/locations/{location_id}/tariffs",
    parameters=Assigning,
    run=_assign,
    about=_at,
    refusals=_REFUSALS,
)
UNASSIGN = Action(
    name="tariffs.unassign",
    title="Take the assignment back",
    meaning="There applies again what would without it: the word on the EVSE or location around "
    "it, what the registration or import says, else the default tariff.",
    done="Taken back: there applies what would without it.",
    needs=Role.MONEY,
    path="/locations/{location_id}/tariffs/unassign",
    parameters=AtPlace,
    run=_unassign,
    about=_at,
    refusals=_REFUSALS,
)
ACTIONS = (IMPORT, REMOVE, DEFAULT, ASSIGN, UNASSIGN)
