"""Sessions and CDRs for OCPI 2.1.1: a whole Location inside, one number for the costs.

2.1.1 knows no Credit CDR. Of one it gets a CDR whose total_cost is negative, with a remark that
says which CDR it credits: the sum of a peer's bills is right, and a person sees why.
"""

from __future__ import annotations

from db_interface.json_data import JsonMapping, JsonObject
from domain.versions.fitting import LeftOut, Notes
from domain.versions.ocpi_version import Context
from domain.versions.plugs import named
from domain.versions.v2_1_1.cdr_ids import MAX_CDR_ID_LENGTH, cdr_id
from domain.versions.v2_1_1.nearest import NEAREST
from domain.versions.v2_1_1.schemas.enums import CdrDimensionType, ConnectorType
from domain.versions.v2_1_1.shapes import INTO

_DIMENSIONS = {member.value for member in CdrDimensionType}
_PLUGS = {member.value for member in ConnectorType}
_NO_EVSE = "#NA"
"""What a CDR has for an EVSE when a reservation never became a session."""


def session(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    where = context.location
    if where is None or _differ(where["id"], given["location_id"]):
        raise LeftOut(f"location_id: {INTO} must have the whole Location, which is not known")
    _take_token(given, notes)
    if "total_cost" in given:
        given["total_cost"] = _before_taxes(given["total_cost"], notes.at("total_cost"))
    given.pop("location_id")
    uid, connector_id = given.pop("evse_uid"), given.pop("connector_id")
    evse = _part(where.get("evses"), "uid", uid)
    connector = _part(evse.get("connectors"), "id", connector_id) if evse else None
    evses = []
    if evse is None or connector is None:
        notes.lost("evse_uid", "left out: the Location no longer has it")
    else:
        where_it_is = notes.at("location")
        plug = named(
            connector["standard"], connector["power_type"], _PLUGS, where_it_is, "standard", INTO
        )
        evses = [{**evse, "connectors": [{**connector, "standard": plug}]}]
    given["location"] = {**where, "evses": evses}
    return given


def cdr(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    _take_token(given, notes)
    given["total_cost"] = _before_taxes(given["total_cost"], notes.at("total_cost"))
    given["cdr_location"] = _location_of_cdr(given, notes.at("cdr_location"), context)
    if given.pop("credit", False):
        credited = given.pop("credit_reference_id")
        notes.lost("credit", f"{INTO} has no Credit CDR: a negative total_cost and a remark")
        remark = f"Credit for CDR {credited}"
        given["remark"] = f"{remark}; {given['remark']}" if "remark" in given else remark
    shown = cdr_id(given["id"])
    if shown != given["id"]:
        notes.lost("id", f"{INTO} takes at most {MAX_CDR_ID_LENGTH} characters: shortened")
    return {**given, "id": shown}


def charging_period(given: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    """A period keeps its place though nothing of it can be said: it says where others end."""
    kept = []
    for number, dimension in enumerate(given["dimensions"]):
        if dimension["type"] in _DIMENSIONS:
            kept.append(dimension)
        else:
            reason = f"left out: {INTO} has no CdrDimensionType {dimension['type']}"
            notes.at("dimensions").lost(str(number), reason)
    return {**given, "dimensions": kept or [{"type": "TIME", "volume": 0}]}


def _take_token(given: JsonObject, notes: Notes) -> None:
    token = given["cdr_token"]
    for name in token:
        if name != "contract_id":
            notes.at("cdr_token").lost(name, f"{INTO} has only its contract_id, as auth_id")
    given["cdr_token"] = token["contract_id"]


def _before_taxes(price: JsonMapping, notes: Notes) -> float:
    for name in price:
        if name != "excl_vat":
            notes.lost(name, f"{INTO} has costs without VAT")
    cost: float = price["excl_vat"]
    return cost


def _location_of_cdr(given: JsonMapping, notes: Notes, context: Context) -> JsonObject:
    """The CDR's own word on the place; what else 2.1.1 wants is the Location's, if known."""
    place = given["cdr_location"]
    known = context.location
    if known is None or _differ(known["id"], place["id"]):
        known = {}
    return {
        **{
            name: place[name]
            for name in ("id", "name", "address", "city", "postal_code", "state", "country")
            if name in place
        },
        "coordinates": dict(place["coordinates"]),
        **{name: known[name] for name in ("parking_type", "time_zone") if name in known},
        "evses": [] if place["evse_uid"] == _NO_EVSE else [_evse_of_cdr(given, notes, known)],
        "last_updated": given["last_updated"],
    }


def _evse_of_cdr(given: JsonMapping, notes: Notes, known: JsonMapping) -> JsonObject:
    place, at = given["cdr_location"], given["last_updated"]
    evse = _part(known.get("evses"), "uid", place["evse_uid"]) or {}
    connector = _part(evse.get("connectors"), "id", place["connector_id"]) or {}
    plug = named(
        place["connector_standard"],
        place["connector_power_type"],
        _PLUGS,
        notes,
        "connector_standard",
        INTO,
    )
    power_type = place["connector_power_type"]
    if power_type in NEAREST["PowerType"]:
        power_type = NEAREST["PowerType"][power_type]
        reason = f"{INTO} has no PowerType {place['connector_power_type']}: {power_type}"
        notes.lost("connector_power_type", reason)
    for name in ("max_voltage", "max_amperage"):
        if name not in connector:
            notes.lost("connector_id", f"{INTO} must have the connector's {name}: 0")
    return {
        "uid": place["evse_uid"],
        "evse_id": place["evse_id"],
        "status": evse.get("status", "UNKNOWN"),
        "connectors": [
            {
                "id": place["connector_id"],
                "standard": plug,
                "format": place["connector_format"],
                "power_type": power_type,
                "max_voltage": connector.get("max_voltage", 0),
                "max_amperage": connector.get("max_amperage", 0),
                "tariff_ids": (connector.get("tariff_ids") or [])[:1],
                "last_updated": at,
            }
        ],
        "last_updated": at,
    }


def _part(parts: list[JsonObject] | None, name: str, wanted: str) -> JsonObject | None:
    return next((part for part in parts or () if not _differ(part[name], wanted)), None)


def _differ(one: str, other: str) -> bool:
    return one.lower() != other.lower()
