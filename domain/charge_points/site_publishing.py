"""The OCPI Location of a site, written anew whenever one of its charge points changes.

Called inside the transaction of the change (a registration, a state of EV_Central), so that
the Location and what it is made of are never seen apart. What cannot be a valid Location is held
back, and the reasons go to the registrations, where the operator reads them.

A document of `sites`: _id (folded site id), rev, published (whether its Location was written
here). Every rebuild raises `rev`: two changes of one site at once conflict, and the second runs
again on what the first left.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db_interface.interface import DbInterface, plain
from db_interface.owned_objects import NOBODY, OwnedObject, fold
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from domain.sites import Built, HeldBack, Party, build_location
from domain.sites.evse import REMOVED
from domain.sites.last_updated import stamped

SITES = "sites"
_REGISTRATIONS = "registrations"
_CHARGE_POINTS = "charge_points"
_DEREGISTERED = "DEREGISTERED"
_SEEN_BY_MAPPING = (
    "location",
    "metadata",
    "status",
    "registration_date",
    "updated_at",
    "ocpi",
)


async def rebuild_site(
    store: DbInterface, site_id: str, party: Party, tx: Tx, now: datetime
) -> None:
    """Bring the Location of a site up to date with its charge points; call in a transaction.

    `site_id` as in a registration's `site_id`; `party` owns the Location. Whether each charge
    point is offered now, and if not why, is written to its registration as
    {offered, reasons, warnings, location_id}.
    """
    site = await _enter(store, site_id, tx)
    records = await _records(store, site_id, tx)
    key = fold(party.country_code, party.party_id, site_id)
    before = await store.objects("locations").document(key, tx)
    if before is not None and not site.get("published"):
        await _report(
            store,
            records,
            HeldBack(
                [f"location {site_id} was imported; choose another metadata.site_id for this one"]
            ),
            tx,
        )
        return
    previous = None if before is None else plain(before)
    if not records:
        await _leave_empty(store, before, previous, tx, now)
        return
    outcome = build_location(
        records,
        await _statuses(store, records, tx),
        party,
        previous=previous,
        now=now,
    )
    if isinstance(outcome, Built):
        await publish(
            store, "locations", owned_location(outcome.location, private=outcome.private), tx
        )
        if not site.get("published"):
            await store.db[SITES].update_one(
                {"_id": site["_id"]}, {"$set": {"published": True}}, session=tx.mongo
            )
    elif before is not None and previous is not None:
        await publish(store, "locations", _as_before(previous, NOBODY), tx)
    await _report(store, records, outcome, tx)


async def _enter(store: DbInterface, site_id: str, tx: Tx) -> dict[str, Any]:
    return await store.db[SITES].find_one_and_update(
        {"_id": fold(site_id)},
        {"$inc": {"rev": 1}},
        upsert=True,
        return_document=True,
        session=tx.mongo,
    )


async def _records(store: DbInterface, site_id: str, tx: Tx) -> list[dict[str, Any]]:
    """The site's registrations as the mapping reads them: without secrets and history."""
    wanted = dict.fromkeys(_SEEN_BY_MAPPING, 1)
    found = (
        await store.db[_REGISTRATIONS]
        .find({"site_id": fold(site_id)}, wanted, session=tx.mongo)
        .to_list(None)
    )
    return [{**record, "cp_id": record["_id"]} for record in found]


async def _statuses(store: DbInterface, records: list[dict[str, Any]], tx: Tx) -> dict[str, str]:
    """OCPI status by cp_id; a charge point that EV_Central never saw is not in it."""
    cp_ids = [record["cp_id"] for record in records]
    found = (
        await store.db[_CHARGE_POINTS]
        .find({"_id": {"$in": cp_ids}}, {"ocpi_status": 1}, session=tx.mongo)
        .to_list(None)
    )
    return {row["_id"]: row["ocpi_status"] for row in found if row.get("ocpi_status")}


async def _leave_empty(
    store: DbInterface,
    before: Mapping[str, Any] | None,
    previous: Mapping[str, Any] | None,
    tx: Tx,
    now: datetime,
) -> None:
    """The last charge point moved away: peers are told that its EVSE is gone from here."""
    if before is None or previous is None:
        return
    evses = [{**evse, "status": REMOVED} for evse in previous.get("evses", [])]
    emptied = stamped({**previous, "evses": evses}, previous, now)
    await publish(store, "locations", _as_before(emptied, before["audience"]), tx)


def _as_before(location: Mapping[str, Any], audience: str) -> OwnedObject:
    kept = owned_location(location)
    return OwnedObject(
        country_code=kept.country_code,
        party_id=kept.party_id,
        key_parts=kept.key_parts,
        fields=kept.fields,
        last_updated=kept.last_updated,
        audience=audience,
        links=kept.links,
    )


async def _report(
    store: DbInterface,
    records: list[dict[str, Any]],
    outcome: Built | HeldBack,
    tx: Tx,
) -> None:
    """Write to each registration how it stands with OCPI, where that has changed."""
    for record in records:
        standing = _standing(record, outcome)
        if standing != record.get("ocpi"):
            await store.db[_REGISTRATIONS].update_one(
                {"_id": record["_id"]}, {"$set": {"ocpi": standing}}, session=tx.mongo
            )


def _standing(record: Mapping[str, Any], outcome: Built | HeldBack) -> dict[str, Any]:
    if isinstance(outcome, HeldBack):
        return _held_back(outcome.reasons)
    location_id = outcome.location["id"]
    if outcome.private:
        return _held_back(["private: metadata.roaming is false"])
    if record["cp_id"] in outcome.left_out:
        return _held_back(outcome.left_out[record["cp_id"]])
    if record["status"] == _DEREGISTERED:
        return {**_held_back(["deregistered"]), "location_id": location_id}
    return {
        "offered": True,
        "reasons": [],
        "warnings": list(outcome.warnings),
        "location_id": location_id,
    }


def _held_back(reasons: list[str]) -> dict[str, Any]:
    return {"offered": False, "reasons": list(reasons), "warnings": [], "location_id": None}
