"""What is done to imported locations: brought in, and taken back."""

from __future__ import annotations

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from cpo_app.actions.objects import IMPORTED, OUR_PARTY, Imported, import_objects
from cpo_app.actions.readings import party_pair, words
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.imports.file_import import Refused as NotTaken
from domain.imports.location_import import (
    guard_charge_points,
    read_location,
    with_assigned_tariffs,
)
from domain.imports.location_removal import GONE, HIDDEN, UNCHANGED, remove_location
from domain.objects.finding import NotFoundById, find_object
from domain.operators.actor import Role
from domain.peers.location_groups import add, put_into, remove
from domain.peers.switches import NotPossible

_REFUSALS: dict[type[Exception], int] = {NotFoundById: 404, NotTaken: 409, NotPossible: 409}


class Removing(Parameters):
    location_id: str = Field(..., min_length=1, max_length=36, title="Location")
    party: str | None = OUR_PARTY
    hide: bool = Field(False, title="And serve it to nobody any more")


class Grouping(Parameters):
    group: str = Field(..., min_length=1, max_length=40, title="Group")
    location_ids: list[str] = Field(..., min_items=1, max_items=100_000, title="Locations")
    party: str | None = OUR_PARTY

    @validator("location_ids", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class SettingGroups(Parameters):
    location_id: str = Field(..., min_length=1, max_length=100, title="Location")
    party: str | None = OUR_PARTY
    groups: list[str] = Field([], max_items=100, title="Groups that this location is in")

    @validator("groups", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


async def _import(house: House, given: Imported) -> JsonObject:
    return await import_objects(
        house, given, "locations", read_location, guard_charge_points, with_assigned_tariffs
    )


async def _remove(house: House, given: Removing) -> JsonObject:
    party = party_pair(given.party)

    async def work(tx: Tx) -> str:
        found = await find_object(house.store, "locations", given.location_id, party, tx)
        return await remove_location(found["_id"], tx, hide=given.hide)

    return {"location_id": given.location_id, "outcome": await house.store.transact(work)}


async def _group(house: House, given: Grouping) -> JsonObject:
    return _regrouped(given, await add(house.store, given.group, await _keys(house, given)))


async def _ungroup(house: House, given: Grouping) -> JsonObject:
    return _regrouped(given, await remove(house.store, given.group, await _keys(house, given)))


async def _set_groups(house: House, given: SettingGroups) -> JsonObject:
    party = party_pair(given.party)
    found = await find_object(house.store, "locations", given.location_id, party)
    await put_into(house.store, found["_id"], given.groups)
    return {"location_id": given.location_id, "key": found["_id"]}


async def _keys(house: House, given: Grouping) -> list[str]:
    party = party_pair(given.party)
    found = [await find_object(house.store, "locations", one, party) for one in given.location_ids]
    return [location["_id"] for location in found]


def _regrouped(given: Grouping, number: int) -> JsonObject:
    return {"group": given.group.lower(), "locations": number}


def _about(given: Removing | SettingGroups) -> tuple[About, ...]:
    return (audit.location(given.location_id),)


def _of_group(given: Grouping) -> tuple[About, ...]:
    return (About("group", given.group.lower()),)


IMPORT = Action(
    name="locations.import",
    title="Import locations",
    meaning="Takes OCPI locations over, new ones and changed ones; what is not valid is refused "
    "with the reason.",
    done=IMPORTED,
    needs=Role.OPERATOR,
    path="/locations",
    parameters=Imported,
    run=_import,
    about=lambda given: (),
    refusals=_REFUSALS,
)
REMOVE = Action(
    name="locations.remove",
    title="Take back",
    meaning="Takes an imported location back: its EVSEs become REMOVED, as OCPI knows no deletion. "
    "Peers are pushed that, and those that pull see it. Hidden, it is served to nobody any more.",
    done={
        GONE: "Taken back: its EVSEs are REMOVED.",
        HIDDEN: "Hidden: it is served to nobody any more.",
        UNCHANGED: "It was taken back already.",
    },
    needs=Role.OPERATOR,
    path="/locations/{location_id}/remove",
    parameters=Removing,
    run=_remove,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
GROUP = Action(
    name="locations.group",
    title="Put into a group",
    meaning="Puts locations into a group; peers that are given it are sent them. A group is there "
    "as long as a location is in it, and no peer sees its name.",
    done="Put into the group.",
    needs=Role.OPERATOR,
    path="/locations/group",
    parameters=Grouping,
    run=_group,
    about=_of_group,
    refusals=_REFUSALS,
)
UNGROUP = Action(
    name="locations.ungroup",
    title="Take out of a group",
    meaning="Takes locations out of a group; from peers that see them by that group alone they are "
    "taken away.",
    done="Taken out of the group.",
    needs=Role.OPERATOR,
    path="/locations/ungroup",
    parameters=Grouping,
    run=_ungroup,
    about=_of_group,
    refusals=_REFUSALS,
)
SET_GROUPS = Action(
    name="locations.set_groups",
    title="Set its groups",
    meaning="Puts one location into these groups and no other. Peers that are given groups are "
    "offered the locations of these alone; no peer sees the names.",
    done="It is in these groups now: what peers see of it is sent or taken away.",
    needs=Role.OPERATOR,
    path="/locations/{location_id}/groups",
    parameters=SettingGroups,
    run=_set_groups,
    about=_about,
    refusals=_REFUSALS,
)
ACTIONS = (IMPORT, REMOVE, GROUP, UNGROUP, SET_GROUPS)
