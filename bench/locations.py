"""The locations that are measured with: 2 EVSEs of 2 connectors each, made here, the same every
time, and valid for extrawest-ocpi's own models as well as for ours.

Ids are in lower case: the library folds the id of a URL before its Crud sees it.
"""

from __future__ import annotations

from db_interface.json_data import JsonObject

NUMBER = 20_000
COUNTRY_CODE, PARTY_ID = "NL", "BEN"
_UPDATED = "2026-03-01T08:{:02d}:{:02d}Z"
_CITIES = (
    ("Utrecht", "3511", 52.0907, 5.1214),
    ("Zwolle", "8011", 52.5126, 6.0936),
    ("Breda", "4811", 51.5889, 4.7759),
    ("Delft", "2611", 52.0116, 4.3571),
)


def location_id(index: int) -> str:
    return f"loc-{index:06d}"


def location(index: int) -> JsonObject:
    """The Location of that number, from 0 on."""
    updated = _UPDATED.format(index // 60 % 60, index % 60)
    city, postal_code, latitude, longitude = _CITIES[index % len(_CITIES)]
    return {
        "country_code": COUNTRY_CODE,
        "party_id": PARTY_ID,
        "id": location_id(index),
        "publish": True,
        "name": f"Car park {index}",
        "address": f"Stationsplein {index % 400 + 1}",
        "city": city,
        "postal_code": f"{postal_code} AB",
        "country": "NLD",
        "coordinates": {
            "latitude": f"{latitude + index % 1000 / 10000:.6f}",
            "longitude": f"{longitude + index % 700 / 10000:.6f}",
        },
        "parking_type": "PARKING_LOT",
        "evses": [_evse(index, number, updated) for number in (1, 2)],
        "operator": {"name": "Bench Charging", "website": "https://charging.example"},
        "facilities": ["CAFE", "PARKING_LOT"],
        "time_zone": "Europe/Amsterdam",
        "opening_times": {"twentyfourseven": True},
        "charging_when_closed": True,
        "last_updated": updated,
    }


def _evse(index: int, number: int, updated: str) -> JsonObject:
    return {
        "uid": f"{index:06d}-{number}",
        "evse_id": f"NL*BEN*E{index:06d}*{number}",
        "status": "AVAILABLE" if (index + number) % 3 else "CHARGING",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
        "connectors": [_connector("1", 32, updated), _connector("2", 16, updated)],
        "physical_reference": str(number),
        "last_updated": updated,
    }


def _connector(connector_id: str, amperage: int, updated: str) -> JsonObject:
    return {
        "id": connector_id,
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": amperage,
        "max_electric_power": 3 * 230 * amperage,
        "tariff_ids": ["standard"],
        "last_updated": updated,
    }
