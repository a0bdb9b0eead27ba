"""The registered charge points of one site as one complete OCPI Location, or the reasons why not.

Never half a Location: what comes out is valid against the text's tables (`domain.schemas`), or it
is held back. An EVSE that was once told to peers never vanishes, it becomes REMOVED. Hosts, ports
and whatever else is in the metadata stay inside.
Source: OCPI 2.2.1, mod_locations, Location Object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import SchemaError, validate
from domain.sites.details import bad_fields, read_details
from domain.sites.evse import uid_of
from domain.sites.evses import add_own_coordinates, gather_evses, with_removed
from domain.sites.facts import Facts
from domain.sites.fields import BadValue, read_boolean
from domain.sites.identifiers import is_name, site_id_of
from domain.sites.last_updated import stamped
from domain.sites.membership import owner_of, speakers, waiting
from domain.sites.parking import places_of
from domain.sites.records import Record
from domain.versions.own import Location

_PRIVATE = "private: metadata.roaming is false"


class Party(Protocol):
    """The CPO party that owns a Location; `name` is shown as its operator, where not empty."""

    @property
    def country_code(self) -> str: ...
    @property
    def party_id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Built:
    """A valid Location as JSON data.

    `private`: visible to nobody (`metadata.roaming` is false for all its charge points).
    `warnings`: what of the metadata could not be used. `left_out`: charge points of the site that
    are not offered as their records say now, by cp_id, each with the reasons.
    """

    location: JsonObject
    private: bool = False
    warnings: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldBack:
    """No Location, and why: sentences that name what is missing and the key that mends it."""

    reasons: list[str]


def build_location(
    records: Sequence[JsonMapping],
    statuses: Mapping[str, str],
    party: Party,
    *,
    previous: JsonMapping | None = None,
    now: datetime,
    amend: Callable[[JsonObject], JsonObject] = dict,
) -> Built | HeldBack:
    """The Location of the records of one site (`site_id_of`).

    `statuses` maps cp_id to an OCPI EVSE status (else UNKNOWN). `previous` is the Location as it
    was last built: its id, its EVSEs and the timestamps of what has not changed are kept; without
    any record left, all its EVSEs are REMOVED.
    `amend` has the last word on it (the operator's).
    Never raises for what a record's metadata holds.
    """
    if not records and previous:
        return Built(stamped({**previous, "evses": with_removed({}, previous)}, previous, now))
    if not records:
        return HeldBack(["no charge point is registered at this site"])
    raw = sorted(records, key=_registration)
    ordered = [Record.read(record) for record in raw]
    left_out = waiting(ordered)
    offered = _offered([r for r in ordered if r.cp_id not in left_out], left_out)
    private = not offered
    if private:
        left_out = _not_private(left_out)
        offered = [record for record in ordered if record.cp_id not in left_out]
    if not offered:
        return HeldBack(_all_reasons(left_out))
    facts, fields, refused = _described(offered, owner_of(ordered))
    if fields is None:
        return HeldBack([*_all_reasons(left_out), *facts.reasons])
    site = gather_evses(
        offered, statuses, (party.country_code, party.party_id), previous, refused=refused
    )
    left_out.update(site.reasons)
    if not site.evses:
        return HeldBack(_all_reasons(left_out))

    add_own_coordinates(site.evses, offered, fields["coordinates"])
    location = {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": _location_id(raw[0], previous),
        **fields,
        "evses": with_removed(site.evses, previous),
    }
    places = places_of(location["evses"], site.parking_places, previous)
    if places:
        location["parking_places"] = places
    if party.name:
        location.setdefault("operator", {"name": party.name})
    try:
        location = validate(Location, stamped(amend(location), previous, now))
    except SchemaError as error:
        return HeldBack([f"{path}: {reason}" for path, reason in error.errors])
    site_names = [_site_name_warning(record) for record in ordered]
    return Built(
        location=location,
        private=private,
        warnings=[*site.warnings, *facts.warnings, *(warning for warning in site_names if warning)],
        left_out=left_out,
    )


def _described(
    offered: Sequence[Record], owner: Record | None
) -> tuple[Facts, JsonObject | None, dict[str, list[str]]]:
    """The fields of the Location and whose facts they are; and, by cp_id, why one that should
    have said it did not. No fields: the facts say what is wrong.
    """
    first: Facts | None = None
    refused = _bad_neighbours(offered, owner)
    for group in speakers([one for one in offered if one.cp_id not in refused], owner):
        facts = Facts(group)
        fields = read_details(facts)
        if not facts.reasons:
            if first is not None:
                facts.warnings += [f"left out: {reason}" for reason in first.reasons]
            return facts, fields, refused
        first = first or facts
        if len(group) == 1:
            refused[group[0].cp_id] = facts.reasons
    return first or Facts([]), None, {}


def _bad_neighbours(offered: Sequence[Record], owner: Record | None) -> dict[str, list[str]]:
    """By cp_id, what is wrong with what the operator registered of others than the owner: each
    takes itself out and not its site. None, where nobody else could speak for the site."""
    bad = {
        record.cp_id: complaints
        for record in offered
        if record.by_operator and record is not owner and not record.deregistered
        if (complaints := bad_fields(record))
    }
    return bad if len(bad) < len(offered) else {}


def _registration(record: JsonMapping) -> tuple[datetime, str]:
    read = Record.read(record)
    return read.registered_at, read.cp_id


def _offered(records: Sequence[Record], left_out: dict[str, list[str]]) -> list[Record]:
    """The records that may be shown; the others go to `left_out`. No id twice, case ignored."""
    offered: list[Record] = []
    uids: set[str] = set()
    for record in records:
        uid = uid_of(record).lower()
        try:
            roaming = read_boolean(record.metadata.get("roaming"))
        except BadValue as bad:
            left_out[record.cp_id] = [f"roaming of {record.cp_id}: {bad}; mend metadata.roaming"]
            continue
        if uid in uids:
            left_out[record.cp_id] = [
                f"{record.cp_id} differs from another charge point in case only; register it anew"
            ]
        elif roaming is False:
            left_out[record.cp_id] = [_PRIVATE]
        else:
            offered.append(record)
        uids.add(uid)
    return offered


def _not_private(left_out: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {cp_id: reasons for cp_id, reasons in left_out.items() if reasons != [_PRIVATE]}


def _all_reasons(left_out: Mapping[str, list[str]]) -> list[str]:
    return [reason for reasons in left_out.values() for reason in reasons]


def _location_id(first: JsonMapping, previous: JsonMapping | None) -> str:
    """Location.id "can never be changed, modified or renamed", not even in its case."""
    return previous["id"] if previous else site_id_of(first)


def _site_name_warning(record: Record) -> str | None:
    site_id = record.metadata.get("site_id")
    if site_id in (None, "") or is_name(site_id):
        return None
    return f"{record.cp_id}: left out: site_id: not a name"
