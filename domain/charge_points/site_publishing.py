"""The OCPI Location of a site, rewritten whenever one of its charge points changes.

Called inside the transaction of the change (a registration, a state of EV_Central), so that
the Location and what it is made of are never seen apart. What cannot be a valid Location is held
back, and the reasons go to the registrations, where the operator reads them.

Every change raises the site's `rev`: two at once conflict, and the second runs again on what the
first left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.json_data import JsonObject
from db_interface.owned_objects import NOBODY, OwnedDocument, OwnedObject, fold, plain
from db_interface.transaction import Tx
from domain.charge_points.charge_point_documents import statuses_of
from domain.charge_points.registration_records import DEREGISTERED, Offer, Record
from domain.charge_points.registration_store import of_site, set_offer
from domain.charge_points.site_keys import location_id_of, location_key, party_of, possible_keys
from domain.objects import OcpiObject
from domain.objects.assigned_tariffs import Assigned, with_words
from domain.objects.locations import owned_location
from domain.objects.tariff_assignment import assigned_of, keep
from domain.outbox.publishing import publish
from domain.sites import Built, HeldBack, Party, build_location, ocpi_id, with_status
from domain.sites.evse import REMOVED
from domain.sites.last_updated import stamped


class Site(TypedDict, total=False):
    """A document of `sites`."""

    _id: str
    """site_keys.py"""
    rev: int
    """raised by every change of the site"""
    published: bool
    """whether its Location was written here (and not imported)"""


SITES: Collection[Site] = Collection("sites")
_SEEN_BY_MAPPING = (
    "location",
    "metadata",
    "status",
    "registration_date",
    "updated_at",
    "ocpi",
    "site_waiting",
    "site_guest",
    "by_operator",
    "party",
)


async def status_changed(tx: Tx, registration: Record, status: str, party: Party) -> None:
    """Bring the Location up to date with one charge point's new status.

    `registration` with its `site_id` and `ocpi`. Where the charge point is offered already, only
    the status of its EVSE can have changed: nothing is derived from the metadata again.
    """
    offer = registration.get("ocpi")
    if offer is None or not offer["offered"]:
        await rebuild_site(tx, registration["site_id"], party)
        return
    site_id = registration["site_id"]
    site = await _enter(tx, site_id)
    before = await _location(tx, site_id, party)
    changed = before and with_status(
        plain(before), ocpi_id(registration["_id"]), status, now=tx.now
    )
    if before is None or changed is None or not site.get("published"):
        await _rebuild(tx, site, site_id, party)
        return
    await publish(tx.store, "locations", _as_before(changed, before["audience"]), tx)


async def rebuild_site(tx: Tx, site_id: str, party: Party) -> None:
    """Bring the Location of a site up to date with its charge points.

    `site_id` as in a registration's `site_id`; `party` owns what no other of ours was named
    for. Whether each charge point is offered now, and if not why, is written to its registration.
    """
    await _rebuild(tx, await _enter(tx, site_id), site_id, party)


async def _rebuild(tx: Tx, site: Site, site_id: str, party: Party) -> None:
    records = await of_site(tx, site_id, _SEEN_BY_MAPPING)
    before = await _location(tx, site_id, party)
    if before is not None and not site.get("published"):
        name = location_id_of(site_id)
        imported = f"location {name} was imported; choose another metadata.site_id for this one"
        await _report(tx, records, HeldBack([imported]))
        return
    previous = None if before is None else plain(before)
    if not records:
        if before is not None and previous is not None:
            await _leave_empty(tx, before["audience"], previous)
        return
    outcome = await _built(tx, site_id, records, party, before)
    if isinstance(outcome, Built):
        location, private = outcome.location, outcome.private
        await publish(tx.store, "locations", owned_location(location, private=private), tx)
        if not site.get("published"):
            await SITES.of(tx).update_one({"_id": site["_id"]}, {"$set": {"published": True}})
    elif previous is not None:
        await publish(tx.store, "locations", _as_before(previous, NOBODY), tx)
    await _report(tx, records, outcome)


async def _built(
    tx: Tx, site_id: str, records: Sequence[Record], party: Party, before: OwnedDocument | None
) -> Built | HeldBack:
    """What the records make, with the operator's word on tariffs, which is kept beside it."""
    words = None if before is None else assigned_of(before)
    given: list[Assigned] = []

    def with_the_operators_word(location: JsonObject) -> JsonObject:
        changed, assigned = with_words(location, words)
        given.extend([assigned] if assigned else ())
        return changed

    outcome = build_location(
        [{**record, "cp_id": record["_id"]} for record in records],
        await statuses_of(tx, [record["_id"] for record in records]),
        party_of(site_id, next((one.get("party") for one in records), None), party),
        previous=None if before is None else plain(before),
        now=tx.now,
        amend=with_the_operators_word,
    )
    if before is not None and given and given[0] != words:
        await keep(tx, before["_id"], given[0])
    return outcome


async def sites_of_charge_points(locations: Sequence[tuple[str, str, str]], tx: Tx) -> set[str]:
    """Which of the Locations (country_code, party_id, id) are of sites that were written here:
    their ids, folded."""
    keys = [key for location in locations for key in possible_keys(*location)]
    found = await SITES.of(tx).find({"_id": {"$in": keys}, "published": True})
    return {location_id_of(site["_id"]) for site in found}


async def _enter(tx: Tx, site_id: str) -> Site:
    site = await SITES.of(tx).update_and_find(
        {"_id": fold(site_id)}, {"$inc": {"rev": 1}}, upsert=True
    )
    assert site is not None  # noqa: S101 (upsert)
    return site


async def _location(tx: Tx, site_id: str, party: Party) -> OwnedDocument | None:
    return await tx.store.objects("locations").document(location_key(site_id, party), tx)


async def _leave_empty(tx: Tx, audience: str, previous: OcpiObject) -> None:
    """The last charge point moved away: peers are told that its EVSE is gone from here."""
    evses = [{**evse, "status": REMOVED} for evse in previous.get("evses", [])]
    emptied = stamped({**previous, "evses": evses}, previous, tx.now)
    await publish(tx.store, "locations", _as_before(emptied, audience), tx)


def _as_before(location: OcpiObject, audience: str) -> OwnedObject:
    return replace(owned_location(location), audience=audience)


async def _report(tx: Tx, records: Sequence[Record], outcome: Built | HeldBack) -> None:
    """Write to each registration how it stands with OCPI, where that has changed."""
    for record in records:
        offer = _offer(record, outcome)
        if offer != record.get("ocpi"):
            await set_offer(tx, record["_id"], offer)


def _offer(record: Record, outcome: Built | HeldBack) -> Offer:
    if isinstance(outcome, HeldBack):
        return _held_back(outcome.reasons)
    location_id = outcome.location["id"]
    if outcome.private:
        return _held_back(["private: metadata.roaming is false"])
    if record["_id"] in outcome.left_out:
        return _held_back(outcome.left_out[record["_id"]])
    if record["status"] == DEREGISTERED:
        return _held_back(["deregistered"], location_id)
    return {
        "offered": True,
        "reasons": [],
        "warnings": list(outcome.warnings),
        "location_id": location_id,
    }


def _held_back(reasons: list[str], location_id: str | None = None) -> Offer:
    return {
        "offered": False,
        "reasons": list(reasons),
        "warnings": [],
        "location_id": location_id,
    }
