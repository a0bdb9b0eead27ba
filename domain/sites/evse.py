"""One charge point as an OCPI EVSE. Source: OCPI 2.2.1, mod_locations, EVSE Object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas.location_enums import Status
from domain.sites.connectors import Rating, connectors_of, read_current, read_power_kw
from domain.sites.fields import (
    BadValue,
    geo_location,
    read_connector_field,
    read_evse_field,
    read_list,
    read_point,
)
from domain.sites.identifiers import evse_id_of, is_evse_id, ocpi_id
from domain.sites.parking import read_parking
from domain.sites.records import Record

REMOVED = "REMOVED"
UNKNOWN = "UNKNOWN"

# What our charge points can do: start, stop, unlock, reserve, read cards, obey a power limit.
# Charging preferences need a departure time and an energy need that nobody asks the driver for.
DEFAULT_CAPABILITIES = (
    "REMOTE_START_STOP_CAPABLE",
    "RESERVABLE",
    "RFID_READER",
    "UNLOCK_CAPABLE",
    "CHARGING_PROFILE_CAPABLE",
)

_STATUSES = frozenset(str(status.value) for status in Status)
_FLAT_FIELDS = (
    "floor_level",
    "physical_reference",
    "parking_restrictions",
    "status_schedule",
    "accepted_service_providers",
)
# Named like fields of the Location, so they are read from `metadata.evse` alone.
_OWN_FIELDS = ("directions", "images")
_LIST_FIELDS = frozenset(
    {
        *("parking_restrictions", "status_schedule", "accepted_service_providers"),
        *("directions", "images"),
    }
)
_FOR_CONNECTORS = ("tariff_ids", "terms_and_conditions")


@dataclass
class EvseDraft:
    """An EVSE without timestamps, or the reasons why there is none; and what was left out."""

    uid: str
    evse: JsonObject | None = None
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    parking_places: list[JsonObject] = field(default_factory=list)
    """those beside it, for its Location"""


def uid_of(record: Record) -> str:
    return ocpi_id(record.cp_id)


def status_of(record: Record, statuses: Mapping[str, str]) -> str:
    """The OCPI status; UNKNOWN where nobody knows it."""
    if record.deregistered:
        return REMOVED
    status = statuses.get(record.cp_id, UNKNOWN)
    return status if status in _STATUSES else UNKNOWN


def draft_evse(record: Record, status: str, country_code: str, party_id: str) -> EvseDraft:
    """The EVSE of a record. Keys of `metadata.evse` go before those of the metadata itself."""
    draft = EvseDraft(uid_of(record))
    metadata = _evse_metadata(record, draft)
    connectors = _connectors(record, metadata, draft)
    if connectors is None:
        return draft
    evse: JsonObject = {"uid": draft.uid}
    evse_id = _evse_id(record, metadata, country_code, party_id, draft)
    if evse_id:
        evse["evse_id"] = evse_id
    evse["status"] = status
    capabilities = _capabilities(metadata, draft)
    if capabilities:
        evse["capabilities"] = capabilities
    evse["connectors"] = connectors
    for name in (*_FLAT_FIELDS, *_OWN_FIELDS):
        value = _optional(name, metadata.get(name), draft)
        if value:
            evse[name] = value
    beside = read_parking(metadata.get("parking"), draft.uid, draft.warnings)
    if beside:
        evse["parking"] = [link for link, _ in beside]
        draft.parking_places = [place for _, place in beside]
    try:
        point = read_point(metadata.get("coordinates"))
    except BadValue as bad:
        draft.warnings.append(f"left out: evse.coordinates: {bad}")
    else:
        if point:
            evse["coordinates"] = geo_location(point)
    draft.evse = evse
    return draft


def _evse_metadata(record: Record, draft: EvseDraft) -> JsonObject:
    shared = {
        key: value
        for key, value in record.metadata.items()
        if key not in (*_OWN_FIELDS, "coordinates")
    }
    own = record.metadata.get("evse")
    if own is None:
        return shared
    if not isinstance(own, Mapping):
        draft.warnings.append("left out: evse: value is not an object")
        return shared
    return {**shared, **own}


def _connectors(record: Record, metadata: JsonMapping, draft: EvseDraft) -> list[JsonObject] | None:
    given = metadata.get("connectors")
    try:
        current = read_current(metadata.get("type"))
    except BadValue as bad:
        draft.warnings.append(f"left out: type: {bad}")
        current = None
    try:
        power_kw = read_power_kw(metadata.get("power_rating"))
    except BadValue as bad:
        draft.reasons.append(
            f"no connectors for {record.cp_id}: power_rating: {bad}; set metadata.power_rating"
        )
        return None
    common = {}
    for name in _FOR_CONNECTORS:
        try:
            value = read_connector_field(name, metadata.get(name))
        except BadValue as bad:
            draft.warnings.append(f"left out: {name}: {bad}")
            continue
        if value:
            common[name] = value
    try:
        return connectors_of(given, Rating(power_kw, current), common, draft.warnings)
    except BadValue as bad:
        draft.reasons.append(f"no connectors for {record.cp_id}: {bad}; mend metadata.connectors")
        return None


def _evse_id(
    record: Record, metadata: JsonMapping, country_code: str, party_id: str, draft: EvseDraft
) -> str | None:
    given = metadata.get("evse_id")
    if isinstance(given, str) and is_evse_id(given.strip()):
        return given.strip()
    if given not in (None, ""):
        draft.warnings.append("evse_id is derived: the given one is not in eMI3 form")
    return evse_id_of(record.cp_id, country_code, party_id)


def _capabilities(metadata: JsonMapping, draft: EvseDraft) -> list[str]:
    given = metadata.get("capabilities")
    if given is None:
        return list(DEFAULT_CAPABILITIES)
    return read_list("capabilities", given, read_evse_field, draft.warnings)


def _optional(name: str, value: object, draft: EvseDraft) -> Any:
    if value is None:
        return None
    if name in _LIST_FIELDS:
        return read_list(name, value, read_evse_field, draft.warnings)
    try:
        return read_evse_field(name, value)
    except BadValue as bad:
        draft.warnings.append(f"left out: {name}: {bad}")
        return None
