"""Reading one OCPI field out of an operator's metadata: mended where its meaning is plain, else
refused with a reason. Must never raise anything but `BadValue`, whatever JSON it is given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from domain.places.gazetteer import Point
from domain.schemas import OcpiModel, SchemaError, tidy, tidy_location, validate_patch
from domain.sites.public import is_public_url
from domain.versions.own import EVSE, Connector, Location

Model = type[OcpiModel]

_MAX_REASON_LENGTH = 150
_ANY_TIME = "1970-01-01T00:00:00Z"
_URL_FIELDS = frozenset({"url", "thumbnail", "website", "terms_and_conditions"})
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,20})?")
_POINT = re.compile(r"\s*([^\s,;]+)\s*[,;\s]\s*([^\s,;]+)\s*")


class BadValue(ValueError):
    """A value that is not what the field wants; the text says what it wants instead."""


def read_field(model: Model, name: str, value: object) -> Any:
    """The field as OCPI has it, or None where the value says nothing ("", null)."""
    given = {name: value}
    try:
        tidied = tidy_location(given, model) if model is Location else tidy(model, given)
        if tidied.get(name) is None:
            return None
        patch = {**tidied, "last_updated": _ANY_TIME}
        clean = validate_patch(model, patch)[name]
    except SchemaError as error:
        path, reason = error.errors[0]
        if len(reason) > _MAX_REASON_LENGTH:  # an enum's values
            reason = f"{reason[: _MAX_REASON_LENGTH - 4]} ..."
        inside = path.removeprefix(name).strip(".")
        raise BadValue(f"{inside}: {reason}" if inside else reason) from None
    except (ValueError, ArithmeticError):
        raise BadValue("value cannot be understood") from None
    if not _urls_are_public(name, clean):
        raise BadValue("a URL in it does not lead to a public host")
    return clean


def read_location_field(name: str, value: object) -> Any:
    """A field of a Location; shorthands: "24/7" for opening times, a name for a business."""
    if name in ("operator", "suboperator", "owner") and isinstance(value, str):
        value = {"name": value} if value.strip() else None
    if name == "opening_times":
        if value is True or (isinstance(value, str) and value.strip() in ("24/7", "24x7")):
            return {"twentyfourseven": True}
        return _opening_times(read_field(Location, name, value))
    if name == "related_locations":
        value = _with_degrees(value)
    return read_field(Location, name, value)


def read_evse_field(name: str, value: object) -> Any:
    return read_field(EVSE, name, value)


def read_connector_field(name: str, value: object) -> Any:
    return read_field(Connector, name, value)


def read_list(
    name: str, value: object, read: Callable[[str, object], Any], warnings: list[str]
) -> list[Any]:
    """The good items of a list (a single item stands for a list of one); others are warned of."""
    items = value if isinstance(value, list) else [value]
    good: list[Any] = []
    for number, item in enumerate(items, start=1):
        try:
            good += [clean for clean in read(name, [item]) or [] if clean not in good]
        except BadValue as bad:
            inside = str(bad).removeprefix("0").lstrip(".: ")
            warnings.append(f"left out: {name} {number}: {inside}")
    return good


def read_point(value: object) -> Point | None:
    """Coordinates: {latitude, longitude} of numbers or text, or "52.52,13.41". Degrees, WGS 84."""
    if value is None or value == "":
        return None
    latitude: object = None
    longitude: object = None
    if isinstance(value, Mapping):
        latitude = value.get("latitude", value.get("lat"))
        longitude = value.get("longitude", value.get("lon", value.get("lng")))
    elif isinstance(value, str):
        match = _POINT.fullmatch(value)
        if match:
            latitude, longitude = match.groups()
    return _degrees(latitude, 90, "latitude"), _degrees(longitude, 180, "longitude")


def geo_location(point: Point) -> dict[str, str]:
    """A point as OCPI's GeoLocation: 5 to 6 decimals, which is better than a metre."""
    return {"latitude": _decimal(point[0]), "longitude": _decimal(point[1])}


def read_boolean(value: object) -> bool | None:
    """A boolean, or the words and digits that are commonly put for one."""
    if value is None or isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    word = str(value).strip().lower() if isinstance(value, (str, float)) or value in (0, 1) else ""
    if word not in words:
        raise BadValue("value is not a boolean")
    return words[word]


def _opening_times(hours: Any) -> Any:
    if hours and not hours["twentyfourseven"] and not hours.get("regular_hours"):
        # mod_locations, Hours: then it "needs to contain at least one RegularHours object".
        raise BadValue("regular_hours: required unless twentyfourseven is true")
    return hours


def _with_degrees(value: object) -> object:
    """Additional points with their coordinates in the specification's form."""
    items = value if isinstance(value, list) else [value]
    points = []
    for item in items:
        if not isinstance(item, Mapping):
            raise BadValue("value is not a list of points")
        point = read_point(item)
        if point:
            points.append({**item, **geo_location(point)})
    return points


def _degrees(value: object, limit: int, name: str) -> float:
    number = math.nan
    if isinstance(value, str):
        number = float(value) if _DEGREES.fullmatch(value.strip()) else math.nan
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= limit:
        number = float(value)
    if not abs(number) <= limit:  # NaN is not, either
        raise BadValue(f"{name}: not a number of degrees from -{limit} to {limit}")
    return number


def _decimal(degrees: float) -> str:
    text = f"{degrees:.6f}"
    text = text[:-1] if text.endswith("0") else text
    return text.removeprefix("-") if float(text) == 0 else text


def _urls_are_public(name: str, value: Any) -> bool:
    if isinstance(value, dict):
        return all(_urls_are_public(key, item) for key, item in value.items())
    if isinstance(value, list):
        return all(_urls_are_public(name, item) for item in value)
    return name not in _URL_FIELDS or not isinstance(value, str) or is_public_url(value)
