"""Locations out of files: real ones hold nulls, wrong case and worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, plain
from db_interface.transaction import Tx
from domain.charge_points.site_publishing import sites_of_charge_points
from domain.imports.changes import changes
from domain.imports.file_import import Amended, Understood
from domain.imports.report import Change
from domain.objects.assigned_tariffs import Assigned, with_words
from domain.objects.locations import owned_location
from domain.objects.tariff_assignment import assigned_of, keep, with_anything_assigned
from domain.schemas import parse_datetime, tidy_location, validate
from domain.schemas.plain_rows import PlainRows, Rule
from domain.sites.identifiers import is_evse_id
from domain.sites.last_updated import stamped
from domain.versions.own import Location

LIFTED = "last_updated lifted to that of its newest part"


def read_location(row: JsonObject) -> Understood:
    """The location of a row, as far as it can be understood. Raises SchemaError."""
    location = plain_locations().read(row)
    made: list[Change] = []
    if location is None:
        location = validate(Location, tidy_location(row, Location))
        made += changes(Location, row, location)
    made += _lift(location)
    return Understood(owned_location(location), list(_oddities(location)), made)


@lru_cache(maxsize=1)
def plain_locations() -> PlainRows:
    """Locations that are right as they are. Those that say for whom they are, or where one parks,
    are looked at more closely."""
    return PlainRows(
        Location,
        {
            "Location": Rule(
                frozenset({"_only_if_not_published", "_evse_uids_are_unique", "_parking_is_known"}),
                lambda location: (
                    "publish_allowed_to" not in location
                    and "parking_places" not in location
                    and _all_different(location.get("evses", ()), "uid")
                ),
            ),
            "EVSE": Rule(
                frozenset({"_connector_ids_are_unique"}),
                lambda evse: "parking" not in evse and _all_different(evse["connectors"], "id"),
            ),
        },
    )


def _all_different(parts: Sequence[JsonObject], name: str) -> bool:
    return len({part[name].lower() for part in parts}) == len(parts)


async def guard_charge_points(objects: Sequence[OwnedObject], tx: Tx) -> dict[str, str]:
    """Locations that registered charge points make up: those are written from the registrations."""
    named = [(obj.country_code, obj.party_id, obj.key_parts[-1]) for obj in objects]
    ids = await sites_of_charge_points(named, tx)
    return {
        obj.key: "is the location of registered charge points: their registrations make it"
        for obj in objects
        if obj.key_parts[-1].lower() in ids
    }


async def with_assigned_tariffs(objects: Sequence[OwnedObject], tx: Tx) -> Amended:
    """With the operator's word on tariffs, which goes over what a file says."""
    known = await with_anything_assigned(tx, [obj.key for obj in objects])
    amended, beside = [], dict[str, Assigned]()
    for obj in objects:
        before = known.get(obj.key)
        location, assigned = with_words(obj.fields, None if before is None else assigned_of(before))
        if before is None or assigned is None:
            amended.append(obj)
            continue
        # The stamps of the file know nothing of that word.
        location = stamped(location, plain(before), tx.now)
        beside[obj.key] = assigned
        amended.append(replace(owned_location(location), audience=obj.audience))

    async def keep_all() -> None:
        for key, assigned in beside.items():
            await keep(tx, key, assigned)

    return Amended(amended, keep_all)


def _lift(location: JsonObject) -> list[Change]:
    """Bring every parent's last_updated up to its children's (mod_locations: the timestamp when a
    Location "or one of its EVSEs or Connectors" was last updated): peers that pull by date miss a
    change of an EVSE otherwise."""
    made: list[Change] = []
    for evse in location.get("evses", ()):
        _lift_to(evse, evse.get("connectors", ()), "evses.last_updated", made)
    _lift_to(location, location.get("evses", ()), "last_updated", made)
    return made


def _lift_to(
    parent: JsonObject, children: Sequence[JsonObject], path: str, made: list[Change]
) -> None:
    stamp = parent["last_updated"]
    if all(child["last_updated"] == stamp for child in children):
        return
    newest = max(children, key=_moment)
    if _moment(newest) > _moment(parent):
        parent["last_updated"] = newest["last_updated"]
        made.append(Change(LIFTED, path))


def _moment(part: JsonObject) -> datetime:
    return parse_datetime(part["last_updated"])


def _oddities(location: JsonObject) -> Sequence[str]:
    odd = [
        evse["evse_id"]
        for evse in location.get("evses", ())
        if "evse_id" in evse and not is_evse_id(evse["evse_id"])
    ]
    if not odd:
        return ()
    number = "1 evse_id is" if len(odd) == 1 else f"{len(odd)} evse_ids are"
    return (f"{number} not in eMI3 form (as NL*EVC*E001*1), so peers may refuse it: {odd[0]}",)
