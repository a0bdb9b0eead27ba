"""Hypothesis strategies of valid objects, made from the models of a version."""

from __future__ import annotations

import string
from enum import Enum
from typing import Any

from hypothesis import strategies as st
from pydantic import StrictBool
from pydantic.fields import SHAPE_LIST, ModelField

from domain.schemas import OcpiModel, SchemaError, types, validate
from domain.versions.v2_3_0.schemas.enums import OpenEnum

Objects = st.SearchStrategy[dict[str, Any]]

_TEXT = st.text(
    st.sampled_from(string.ascii_letters + string.digits + " -äßéαЖ京"), min_size=1, max_size=12
)
_ID = st.text(st.sampled_from(string.ascii_letters + string.digits + "*-"), min_size=1, max_size=3)
_CLOCK = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
_DAY = st.dates().map(str).filter(lambda day: day >= "1970")
_CENTS = st.integers(-(10**9), 10**9)
_DEGREES: dict[type, tuple[str, ...]] = {
    types.Latitude: ("51.04759", "-3.729944", "50.7707745"),
    types.Longitude: ("3.72994", "-126.104965", "126.1049655"),
}
_BY_TYPE: dict[type, st.SearchStrategy[Any]] = {
    types.CountryCode: st.sampled_from(["BE", "NL", "de"]),
    types.Country: st.sampled_from(["BEL", "NLD"]),
    types.Currency: st.sampled_from(["EUR", "CAD"]),
    types.Language: st.sampled_from(["en", "nl"]),
    types.LocalTime: _CLOCK,
    types.LocalDate: _DAY,
    types.TimeZone: st.sampled_from(["Europe/Brussels", "America/Toronto"]),
    types.Url: st.sampled_from(["https://cpo.example/a", "http://emsp.example/x?y=1"]),
    types.CredentialsToken: _ID,
    types.DateTime: st.sampled_from(["2024-05-01T10:00:00Z", "2024-05-01T10:00:00.123Z"]),
    types.Weekday: st.integers(1, 7),
    types.PixelCount: st.integers(0, 99999),
    types.Percentage: st.integers(0, 1000).map(lambda number: number / 10),
    types.OneDecimalNumber: st.integers(0, 1000).map(lambda number: number / 10),
    types.Int: st.integers(-(2**40), 2**40),
    # Amounts of up to 14 digits, as floats can hold them: more than any bill has.
    types.Number: st.one_of(_CENTS, _CENTS.map(lambda number: number / 10**4)),
    StrictBool: st.booleans(),
}


def objects_of(model: type[OcpiModel]) -> Objects:
    """Objects that the model takes, with any of its optional fields."""
    return _objects(model).filter(lambda data: _is_valid(model, data))


def _is_valid(model: type[OcpiModel], data: dict[str, Any]) -> bool:
    try:
        return validate(model, data) == data
    except SchemaError:
        return False


def _objects(model: type[OcpiModel]) -> Objects:
    fields = model.__fields__
    made = st.fixed_dictionaries(
        {name: _values(field) for name, field in fields.items() if field.required},
        optional={name: _values(field) for name, field in fields.items() if not field.required},
    )
    return made.map(_keeping_the_rules)


def _values(field: ModelField) -> st.SearchStrategy[Any]:
    one = _value(field.type_)
    if field.shape != SHAPE_LIST:
        return one
    return st.lists(one, min_size=1, max_size=3 if field.name == "elements" else 2)


def _value(kind: Any) -> st.SearchStrategy[Any]:
    if issubclass(kind, OcpiModel):
        return _objects(kind)
    if issubclass(kind, Enum):
        return st.sampled_from([member.value for member in kind])
    if issubclass(kind, OpenEnum):
        return st.sampled_from([*kind.known, "ACME_1"])
    for base, samples in _DEGREES.items():
        if issubclass(kind, base):
            return st.sampled_from([each for each in samples if kind.pattern.fullmatch(each)])
    for base, strategy in _BY_TYPE.items():
        if kind is base or issubclass(kind, base):
            return strategy
    if issubclass(kind, types.CiString):
        return _ID
    return _TEXT.map(lambda text: text[: kind.max_length].strip() or "x")


def _keeping_the_rules(data: dict[str, Any]) -> dict[str, Any]:
    """The object, brought into what holds between fields: few would keep that by chance."""
    if data.get("publish"):
        data.pop("publish_allowed_to", None)
    if data.get("twentyfourseven"):
        data.pop("regular_hours", None)
    if "weekday" in data:
        data |= {"period_begin": "08:00", "period_end": "20:00"}
    if set(data) <= {"uid", "type", "visual_number", "issuer", "group_id"}:  # PublishTokenType
        data = {**data, "group_id": "G"}
        if "uid" in data:
            data.setdefault("type", "RFID")
        if "visual_number" in data:
            data.setdefault("issuer", "x")
    if "reservation" in (data.get("restrictions") or {}):
        for component in data["price_components"]:
            component["type"] = "TIME"
    if "charging_periods" in data and "total_energy" in data:
        for period in data["charging_periods"]:
            for dimension in period["dimensions"]:
                dimension["type"] = "ENERGY"
        if data.get("credit"):
            data.setdefault("credit_reference_id", "C1")
    if data.get("type") == "STATE_OF_CHARGE" and "volume" in data:
        data["volume"] = 50
    for list_name, id_name in (("evses", "uid"), ("connectors", "id"), ("parking_places", "id")):
        for number, part in enumerate(data.get(list_name) or ()):
            part[id_name] = str(number)
    if "evses" in data:
        places = [place["id"] for place in data.get("parking_places") or ()]
        for evse in data["evses"]:
            for link in evse.get("parking") or ():
                link["parking_id"] = places[0] if places else "none"
            if not places:
                evse.pop("parking", None)
    if "connector_id" in data and "response_url" in data:
        data.setdefault("evse_uid", "E")
    if "roles" in data:
        for number, role in enumerate(data["roles"]):
            role["party_id"] = f"P{number}"
    return data
