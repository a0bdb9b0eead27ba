"""What of a charge point's metadata may be shown outside the house.

Shows the keys that docs/registry.md names and, inside of them, those of OCPI's own objects; of
their values none that looks like a host, an address of the inner net, a key or a secret. In doubt
it leaves out: a fact too few is a nuisance, a password too many a breach.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from db_interface.json_data import JsonObject

_DEEPEST = 16

PUBLISHED = frozenset(
    [
        *("site_id", "name", "address", "city", "postal_code", "state", "country"),
        *("coordinates", "time_zone", "publish", "roaming", "parking_type", "facilities"),
        *("operator", "suboperator", "owner", "opening_times", "charging_when_closed"),
        *("energy_mix", "images", "directions", "related_locations", "evse"),
        *("type", "power_rating", "connectors", "capabilities", "evse_id", "floor_level"),
        *("physical_reference", "parking_restrictions", "status_schedule", "tariff_ids"),
        *("terms_and_conditions", "help_phone", "parking", "accepted_service_providers"),
    ]
)
"""The metadata that becomes OCPI fields: told to every eMSP anyway."""
_INSIDE = frozenset(
    [
        # GeoLocation, AdditionalGeoLocation, DisplayText, BusinessDetails, Image
        *("latitude", "longitude", "name", "language", "text", "website", "logo"),
        *("url", "thumbnail", "category", "type", "width", "height"),
        # Hours, StatusSchedule
        *("twentyfourseven", "regular_hours", "exceptional_openings", "exceptional_closings"),
        *("weekday", "period_begin", "period_end", "status"),
        # EnergyMix
        *("is_green_energy", "energy_sources", "environ_impact", "supplier_name"),
        *("energy_product_name", "source", "percentage", "amount"),
        # Connector
        *("id", "standard", "format", "power_type", "max_voltage", "max_amperage"),
        *("max_electric_power", "tariff_ids", "terms_and_conditions", "power_rating"),
        *("capabilities",),
        # Parking, EVSEParking
        *("physical_reference", "vehicle_types", "max_vehicle_weight", "max_vehicle_height"),
        *("max_vehicle_length", "max_vehicle_width", "parking_space_length"),
        *("parking_space_width", "dangerous_goods_allowed", "direction", "drive_through"),
        *("restricted_to_type", "reservation_required", "time_limit", "roofed", "images"),
        *("lighting", "refrigeration_outlet", "standards", "apds_reference", "evse_position"),
    ]
)

SECRET_VALUE = re.compile(
    r"-----BEGIN |\beyJ[\w-]+\.[\w-]+|\b[0-9a-fA-F]{32,}\b|\b(?:Bearer|Basic|Token) +\S{8,}"
)
_NETWORK_VALUE = re.compile(r"[a-z][a-z0-9+.-]*://|\blocalhost\b|[\w.-]+:\d{2,5}\b", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_INNER_DOMAINS = ("local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa")
_TIME = re.compile(r"\d{1,2}:\d\d(:\d\d)?|.*\d{4}-\d\d-\d\dT\d\d:\d\d.*", re.DOTALL)


def public_metadata(metadata: object) -> JsonObject:
    """The metadata's published entries; anything but an object gives {}."""
    return _public_object(metadata, PUBLISHED, 0) if isinstance(metadata, Mapping) else {}


def is_public_url(url: str) -> bool:
    """Whether an absolute URL names a host of the open internet, and no user or password."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    labels = host.split(".")
    return len(labels) > 1 and labels[-1] not in _INNER_DOMAINS and not labels[-1].isdigit()


def _public_object(value: Mapping[Any, Any], shown: frozenset[str], depth: int) -> JsonObject:
    return {
        key: item
        for key, given in value.items()
        if key in shown
        # `evse` holds the same keys once more, for the EVSE alone.
        for item in _public(given, PUBLISHED if key == "evse" else _INSIDE, depth + 1)
    }


def _public(value: Any, shown: frozenset[str], depth: int) -> list[Any]:
    """The value as it may be shown, in a list of one; an empty list where it may not."""
    if depth > _DEEPEST:
        return []
    if isinstance(value, Mapping):
        return [_public_object(value, shown, depth)]
    if isinstance(value, list):
        return [[kept for item in value for kept in _public(item, shown, depth + 1)]]
    if isinstance(value, str) and _is_inner_value(value):
        return []
    return [value]


def _is_inner_value(text: str) -> bool:
    if SECRET_VALUE.search(text):
        return True
    if any(_is_inner_ip(ip) for ip in _IPV4.findall(text)):
        return True
    try:
        if not ipaddress.ip_address(text.strip()).is_global:
            return True
    except ValueError:
        pass
    urls = _URL.findall(text)
    if urls:
        return not all(is_public_url(url) for url in urls)
    return bool(_NETWORK_VALUE.search(text)) and not _TIME.fullmatch(text)


def _is_inner_ip(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_global
    except ValueError:
        return False
