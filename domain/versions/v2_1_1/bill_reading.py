"""Locations, sessions and CDRs of OCPI 2.1.1 as inner ones, with what the context knows.

A CPO is sent none of them; who compares a partner's objects, or moves an older platform's to this
one, has them (`cpo convert`).
"""

from __future__ import annotations

from db_interface.json_data import JsonMapping, JsonObject
from domain.versions.fitting import LeftOut, Notes
from domain.versions.ocpi_version import Context

_TYPES_WITHOUT_PARKING_TYPE = ("OTHER", "UNKNOWN")
_NO_EVSE = "#NA"


def owned(given: JsonObject, context: Context) -> JsonObject:
    """The object with the party that it belongs to."""
    if "country_code" in given:
        return given
    if context.party is None:
        raise LeftOut("country_code: OCPI 2.1.1 does not say whose object it is")
    return {**context.party._asdict(), **given}


def location(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    kind = given.pop("type")
    if kind not in _TYPES_WITHOUT_PARKING_TYPE:
        given["parking_type"] = kind
    elif kind == "OTHER":
        notes.lost("type", "left out: the inner model has no ParkingType OTHER")
    given.setdefault("time_zone", context.time_zone)
    return {**owned(given, context), "publish": True}


def connector(given: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    tariff = given.pop("tariff_id", None)
    return {**given, "tariff_ids": [tariff]} if tariff is not None else given


def session(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    where = given.pop("location")
    evse, plug = _the_one_evse(where)
    notes.lost("location", "only its ids stay: a Session refers to its Location")
    given |= {"location_id": where["id"], "evse_uid": evse["uid"], "connector_id": plug["id"]}
    return owned(_with_token(_with_price(given), context), context)


def cdr(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    where = given.pop("location")
    place = {
        name: where[name]
        for name in ("id", "name", "address", "city", "postal_code", "country", "coordinates")
        if name in where
    }
    if where.get("evses"):
        evse, plug = _the_one_evse(where)
        place |= {
            "evse_uid": evse["uid"],
            "evse_id": evse.get("evse_id", _NO_EVSE),
            "connector_id": plug["id"],
            "connector_standard": plug["standard"],
            "connector_format": plug["format"],
            "connector_power_type": plug["power_type"],
        }
    else:
        raise LeftOut("location.evses: the inner model must have the EVSE and its connector")
    notes.lost("location", "only what a CdrLocation has stays")
    given["cdr_location"] = place
    return owned(_with_token(_with_price(given), context), context)


def charging_period(given: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    """2.1.1's FLAT is no dimension of a period later on."""
    kept = []
    for number, dimension in enumerate(given["dimensions"]):
        if dimension["type"] == "FLAT":
            reason = "left out: the inner model has no CdrDimensionType FLAT"
            notes.at("dimensions").lost(str(number), reason)
        else:
            kept.append(dimension)
    return {**given, "dimensions": kept or [{"type": "TIME", "volume": 0}]}


def _the_one_evse(where: JsonMapping) -> tuple[JsonObject, JsonObject]:
    evses = where.get("evses") or []
    if len(evses) != 1 or len(evses[0]["connectors"]) != 1:
        raise LeftOut("location.evses: not one EVSE with one connector")
    return evses[0], evses[0]["connectors"][0]


def _with_price(given: JsonObject) -> JsonObject:
    if "total_cost" in given:
        given["total_cost"] = {"excl_vat": given["total_cost"]}
    return given


def _with_token(given: JsonObject, context: Context) -> JsonObject:
    contract_id, token = given.pop("auth_id"), context.token
    if token is None or token["contract_id"].lower() != contract_id.lower():
        raise LeftOut("auth_id: OCPI 2.1.1 says only the contract, and its Token is not known")
    names = ("country_code", "party_id", "uid", "type", "contract_id")
    return {**given, "cdr_token": {name: token[name] for name in names}}
