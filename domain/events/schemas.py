"""JSON Schemas of events: what a consumer may count on, made of the types that events are made of.

OCPI objects are as the specification's tables say; beside these an object may have fields that a
later version of OCPI, or a partner, knows of.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Union, get_args, get_origin, get_type_hints, is_typeddict

from db_interface.json_data import JsonObject
from domain.charge_points.told_state import ToldState
from domain.commands.told_command import ToldCommand
from domain.events import kinds
from domain.events.event import SPEC_VERSION
from domain.events.present import GONE_SCHEMA, SCHEMAS
from domain.schemas import CDR, Location, OcpiModel, Session, Tariff

_OBJECTS: Mapping[str, type[OcpiModel]] = {
    kinds.LOCATIONS: Location,
    kinds.TARIFFS: Tariff,
    kinds.SESSIONS: Session,
    kinds.CDRS: CDR,
}
_OWN: Mapping[str, type] = {kinds.CHARGE_POINTS: ToldState, kinds.COMMANDS: ToldCommand}
_TEXT: JsonObject = {"type": "string"}
_MOMENT: JsonObject = {"type": "string", "format": "date-time"}
_GONE: JsonObject = {
    "type": "object",
    "properties": {"country_code": _TEXT, "party_id": _TEXT, "id": _TEXT},
    "required": ["country_code", "party_id", "id"],
}
_PLAIN: Mapping[object, JsonObject] = {
    str: _TEXT,
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
}


def schema_of(kind: str, type_prefix: str) -> JsonObject:
    """Of every event of that kind, the whole message."""
    removable = len(kinds.TYPES[kind]) > 1
    names = [f"{type_prefix}{name}" for name in kinds.TYPES[kind]]
    data, definitions = _data_of(kind)
    attributes: JsonObject = {
        "specversion": {"const": SPEC_VERSION},
        "id": _TEXT,
        "source": {"type": "string", "format": "uri"},
        "type": {"enum": names},
        "subject": _TEXT,
        "time": _MOMENT,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"enum": [SCHEMAS[kind], *([GONE_SCHEMA] if removable else [])]},
        "partitionkey": _TEXT,
        "data": {"anyOf": [data, _GONE]} if removable else data,
    }
    needed = list(attributes)
    if kind in kinds.OCPI_KINDS:
        attributes["offered"] = {"type": "boolean"}
        needed.append("offered")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Events of {kind}",
        "type": "object",
        "properties": attributes,
        "required": needed,
        "definitions": definitions,
    }


def _data_of(kind: str) -> tuple[JsonObject, JsonObject]:
    if kind in _OWN:
        return _of_type(_OWN[kind]), {}
    data: JsonObject = dict(_OBJECTS[kind].schema())  # pydantic keeps that for all who ask
    definitions: JsonObject = data.pop("definitions", {})
    return data, definitions


def _of_type(hint: object) -> JsonObject:
    if isinstance(hint, type) and is_typeddict(hint):
        fields = {name: _of_type(one) for name, one in get_type_hints(hint).items()}
        return {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of_type(one) for one in parts]}
    if origin is list:
        return {"type": "array", "items": _of_type(parts[0])}
    return _PLAIN.get(hint, {"type": "object"})
