"""Where something is: coordinates, address, offset from UTC, a German state's NUTS code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.words import Shared, enum, said, text

_NUTS_1 = {
    "DE1": ("BW", "Baden-Württemberg"),
    "DE2": ("BY", "Bayern"),
    "DE3": ("BE", "Berlin"),
    "DE4": ("BB", "Brandenburg"),
    "DE5": ("HB", "Bremen"),
    "DE6": ("HH", "Hamburg"),
    "DE7": ("HE", "Hessen"),
    "DE8": ("MV", "Mecklenburg-Vorpommern"),
    "DE9": ("NI", "Niedersachsen"),
    "DEA": ("NW", "Nordrhein-Westfalen"),
    "DEB": ("RP", "Rheinland-Pfalz"),
    "DEC": ("SL", "Saarland"),
    "DED": ("SN", "Sachsen"),
    "DEE": ("ST", "Sachsen-Anhalt"),
    "DEF": ("SH", "Schleswig-Holstein"),
    "DEG": ("TH", "Thüringen"),
}
_GERMAN_STATES: Mapping[str, str] = {
    name.lower(): code
    for code, (short, long) in _NUTS_1.items()
    for name in (short, f"DE-{short}", long, code)
}
_WINTER = datetime(2026, 1, 15)


def place_of(location: JsonMapping, country: str | None, language: str) -> JsonObject:
    """Of a site or a station: its coordinates and its address. `country` in two letters."""
    point = _coordinates(location["coordinates"])
    facility = said(
        timeZone=offset_of(location["time_zone"]),
        address=_address(location, country, language),
        nutsArea=_nuts(location, country),
    )
    made = {
        "coordinatesForDisplay": point,
        "locLocationExtensionG": {"FacilityLocation": facility},
        "pointByCoordinates": {"pointCoordinates": point},
    }
    return {"locPointLocation": Shared(made)}


def place_of_point(evse: JsonMapping, location: JsonMapping, language: str) -> JsonObject | None:
    """Of a charging point that is said to be elsewhere than its station, or on some floor."""
    coordinates, floor = evse.get("coordinates"), evse.get("floor_level")
    if coordinates is None and not floor:
        return None
    point = _coordinates(coordinates or location["coordinates"])
    address = {"addressLine": [_line(0, "floor", floor, language)]} if floor else None
    return {
        "locPointLocation": said(
            coordinatesForDisplay=point,
            locLocationExtensionG=address and {"FacilityLocation": {"address": address}},
            pointByCoordinates={"pointCoordinates": point},
        )
    }


@lru_cache(maxsize=256)
def offset_of(time_zone: str) -> str | None:
    """The zone's offset without daylight saving, which is all that DATEX II has room for."""
    try:
        moment = _WINTER.replace(tzinfo=ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    minutes = ((moment.utcoffset() or timedelta()) - (moment.dst() or timedelta())).total_seconds()
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{int(minutes) // 3600:02d}:{int(minutes) // 60 % 60:02d}"


def _coordinates(point: JsonMapping) -> JsonObject:
    return {"latitude": float(point["latitude"]), "longitude": float(point["longitude"])}


def _address(location: JsonMapping, country: str | None, language: str) -> JsonObject:
    lines = [_line(0, "street", location["address"], language)]
    if location.get("state"):
        lines.append(_line(1, "region", location["state"], language))
    return said(
        postcode=location.get("postal_code"),
        city=text(location["city"], language),
        countryCode=country,
        addressLine=lines,
    )


def _line(order: int, kind: str, value: str, language: str) -> JsonObject:
    return {"order": order, "type": enum(kind), "text": text(value, language)}


def _nuts(location: JsonMapping, country: str | None) -> list[JsonObject]:
    if country != "DE" or not location.get("state"):
        return []
    code = _GERMAN_STATES.get(location["state"].strip().lower())
    if code is None:
        return []
    return [{"nutsCodeType": enum("nuts1Code"), "nutsCode": code}]
