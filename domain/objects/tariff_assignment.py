"""The operator assigns tariffs to a location, an EVSE or a connector, and takes that back.

In one transaction: the word beside the Location, the Location that peers read, and the audit log.
Sessions that run keep their tariffs (domain/sessions/tariff_choice.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects, plain
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.objects.assigned_tariffs import (
    Assigned,
    Word,
    place_of,
    rows_of,
    with_words,
    without_words,
)
from domain.objects.finding import find_object
from domain.objects.locations import connector_of, evse_of, owned_location
from domain.operators.actor import current_actor
from domain.outbox.publishing import publish
from domain.platform_facts import default_tariff
from domain.sites.last_updated import stamped

FIELD = "tariffs_assigned"
MAX_TARIFFS = 20


class NotAssigned(ValueError):
    """There is nothing to assign to, or to take back; the message says what."""


async def assign(
    tx: Tx,
    location_id: str,
    tariff_ids: Sequence[str],
    *,
    party: tuple[str, str] | None = None,
    evse_uid: str | None = None,
    connector_id: str | None = None,
) -> str:
    """From now on these apply there, in that order; the key of the location. Raises NotFoundById,
    NotAssigned."""
    document = await find_object(tx.store, "locations", location_id, party, tx)
    location = plain(document)
    evse_uid, connector_id = _named(location, evse_uid, connector_id)
    owner = (location["country_code"], location["party_id"])
    names = []
    for tariff_id in dict.fromkeys(tariff_ids):
        found = await find_object(tx.store, "tariffs", tariff_id, owner, tx)
        names.append(str(found["fields"]["id"]))
    word: Word = {
        "evse_uid": evse_uid,
        "connector_id": connector_id,
        "tariff_ids": names,
        "by": current_actor().name,
        "at": tx.now,
    }
    await _say(tx, document, word, evse_uid, connector_id)
    return document["_id"]


async def unassign(
    tx: Tx,
    location_id: str,
    *,
    party: tuple[str, str] | None = None,
    evse_uid: str | None = None,
    connector_id: str | None = None,
) -> str:
    """From now on applies there what would without that word; the key of the location. Raises
    NotFoundById, NotAssigned."""
    document = await find_object(tx.store, "locations", location_id, party, tx)
    if _word_at(document, evse_uid, connector_id) is None:
        where = _where(plain(document), evse_uid, connector_id)
        raise NotAssigned(f"no tariff is assigned to {where}")
    await _say(tx, document, None, evse_uid, connector_id)
    return document["_id"]


async def keep(tx: Tx, key: str, assigned: Assigned) -> None:
    """Beside the location that is being written."""
    await _locations(tx).of(tx).update_one({"_id": key}, {"$set": {FIELD: assigned}})


async def with_anything_assigned(tx: Tx, keys: Sequence[str]) -> dict[str, OwnedDocument]:
    """Those of the locations beside which anything is kept, by key: as they are now."""
    query = {"_id": {"$in": list(keys)}, FIELD: {"$exists": True}}
    found = await _locations(tx).of(tx).find(query, {FIELD: 1, "raw": 1})
    return {document["_id"]: document for document in found}


async def tariffs_at(db: Database, document: OwnedDocument) -> JsonObject:
    """Every connector of a location with its tariffs and whose word that is; and the words."""
    assigned = assigned_of(document)
    rows = rows_of(plain(document), assigned, await default_tariff(db))
    return {
        "connectors": [row._asdict() for row in rows],
        "assigned": [] if assigned is None else assigned["words"],
    }


async def listed(db: Database, *, limit: int, after: int | None = None) -> list[JsonObject]:
    """The words of every location that has any, the latest created location first."""
    query: JsonObject = {FIELD: {"$exists": True}}
    if after is not None:
        query["seq"] = {"$lt": after}
    wanted = {"seq": 1, FIELD: 1, **{f"fields.{name}": 1 for name in ("id", *_PARTY)}}
    rows = await OwnedObjects(db, "locations").documents(
        query, fields=wanted, sort=[("seq", -1)], limit=limit
    )
    return [
        {
            "key": row["_id"],
            "seq": row["seq"],
            "location_id": row["fields"]["id"],
            "party": "/".join(row["fields"][name] for name in _PARTY),
            "assigned": (assigned_of(row) or {"words": []})["words"],
        }
        for row in rows
    ]


async def locations_of_tariff(db: Database, tariff_id: str) -> int:
    """At how many locations the operator has assigned it."""
    return (
        await OwnedObjects(db, "locations")
        .of(db)
        .count({FIELD: {"$exists": True}, f"{FIELD}.words.tariff_ids": tariff_id})
    )


_PARTY = ("country_code", "party_id")


def assigned_of(document: OwnedDocument | JsonMapping) -> Assigned | None:
    found: Assigned | None = dict(document).get(FIELD)
    return found


async def _say(
    tx: Tx,
    document: OwnedDocument,
    word: Word | None,
    evse_uid: str | None,
    connector_id: str | None,
) -> None:
    location, before = plain(document), assigned_of(document)
    place = place_of(evse_uid, connector_id)
    earlier = _word_at(document, evse_uid, connector_id)
    words = [
        one
        for one in (before["words"] if before else ())
        if place_of(one["evse_uid"], one["connector_id"]) != place
    ]
    if word is not None:
        words.append(word)
    given = without_words(location, before)
    changed, assigned = with_words(
        given, {"words": words, "given": before["given"] if before else []}
    )
    obj = owned_location(stamped(changed, location, tx.now))
    await publish(tx.store, "locations", replace(obj, audience=document["audience"]), tx)
    change: JsonMapping = {"$set": {FIELD: assigned}} if assigned else {"$unset": {FIELD: ""}}
    await _locations(tx).of(tx).update_one({"_id": document["_id"]}, change)
    after = word["tariff_ids"] if word else None
    was = earlier["tariff_ids"] if earlier else None
    where = _where(location, evse_uid, connector_id)
    await audit.record(
        tx,
        "tariffs.assign",
        audit.location(location["id"]),
        *(audit.tariff(one) for one in dict.fromkeys([*(was or ()), *(after or ())])),
        before={"at": where, "tariff_ids": was},
        after={"at": where, "tariff_ids": after},
    )


def _named(
    location: JsonMapping, evse_uid: str | None, connector_id: str | None
) -> tuple[str | None, str | None]:
    """As the location writes them. Raises NotAssigned."""
    if evse_uid is None:
        if connector_id is not None:
            raise NotAssigned("evse_uid: is needed to say which connector is meant")
        return None, None
    evse = evse_of(location, evse_uid)
    if evse is None:
        raise NotAssigned(f"{location['id']} has no EVSE {evse_uid}")
    if connector_id is None:
        return str(evse["uid"]), None
    connector = connector_of(evse, connector_id)
    if connector is None:
        raise NotAssigned(f"EVSE {evse['uid']} has no connector {connector_id}")
    return str(evse["uid"]), str(connector["id"])


def _word_at(
    document: OwnedDocument, evse_uid: str | None, connector_id: str | None
) -> Word | None:
    assigned, place = assigned_of(document), place_of(evse_uid, connector_id)
    words = assigned["words"] if assigned else ()
    same = (one for one in words if place_of(one["evse_uid"], one["connector_id"]) == place)
    return next(same, None)


def _where(location: JsonMapping, evse_uid: str | None, connector_id: str | None) -> str:
    parts = [f"location {location['id']}"]
    if evse_uid is not None:
        parts.append(f"EVSE {evse_uid}")
    if connector_id is not None:
        parts.append(f"connector {connector_id}")
    return ", ".join(parts)


def _locations(tx: Tx) -> OwnedObjects:
    return tx.store.objects("locations")
