"""Small valid objects to start from; each call gives a fresh one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

AT = "2024-05-01T10:00:00Z"


def connector(**fields: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "last_updated": AT,
        **fields,
    }


def evse(**fields: Any) -> dict[str, Any]:
    return {
        "uid": "Evse-1",
        "status": "AVAILABLE",
        "connectors": [connector()],
        "last_updated": AT,
        **fields,
    }


def location(**fields: Any) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "BEC",
        "id": "LOC1",
        "publish": True,
        "address": "F.Rooseveltlaan 3A",
        "city": "Gent",
        "country": "BEL",
        "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
        "time_zone": "Europe/Brussels",
        "last_updated": AT,
        **fields,
    }


def token(**fields: Any) -> dict[str, Any]:
    return {
        "country_code": "DE",
        "party_id": "TNM",
        "uid": "AbC-1",
        "type": "RFID",
        "contract_id": "DE8ACC12E46L89",
        "issuer": "TheNewMotion",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": AT,
        **fields,
    }


def tariff(**fields: Any) -> dict[str, Any]:
    component = {"type": "ENERGY", "price": 0.25, "step_size": 1}
    return {
        "country_code": "DE",
        "party_id": "ALL",
        "id": "12",
        "currency": "EUR",
        "elements": [{"price_components": [component]}],
        "last_updated": AT,
        **fields,
    }


def cdr(**fields: Any) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "BEC",
        "id": "12345",
        "start_date_time": AT,
        "end_date_time": AT,
        "cdr_token": {
            "country_code": "DE",
            "party_id": "TNM",
            "uid": "AbC-1",
            "type": "RFID",
            "contract_id": "DE8ACC12E46L89",
        },
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "LOC1",
            "address": "F.Rooseveltlaan 3A",
            "city": "Gent",
            "country": "BEL",
            "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
            "evse_uid": "Evse-1",
            "evse_id": "BE*BEC*E041503003",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_1_PHASE",
        },
        "currency": "EUR",
        "charging_periods": [
            {"start_date_time": AT, "dimensions": [{"type": "ENERGY", "volume": 1.5}]}
        ],
        "total_cost": {"excl_vat": 4.0},
        "total_energy": 15.342,
        "total_time": 1.973,
        "last_updated": AT,
        **fields,
    }


def session(**fields: Any) -> dict[str, Any]:
    return {
        "country_code": "BE",
        "party_id": "BEC",
        "id": "S1",
        "start_date_time": AT,
        "kwh": 1.5,
        "cdr_token": cdr()["cdr_token"],
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "Evse-1",
        "connector_id": "1",
        "currency": "EUR",
        "status": "ACTIVE",
        "last_updated": AT,
        **fields,
    }


def credentials(**fields: Any) -> dict[str, Any]:
    role = {
        "role": "EMSP",
        "party_id": "EXA",
        "country_code": "NL",
        "business_details": {"name": "Example Provider"},
    }
    return {
        "token": "9e80a9c4-28be-11e9-b210-d663bd873d93",
        "url": "https://ocpi.example.com/versions",
        "roles": [role],
        **fields,
    }


def without(data: dict[str, Any], name: str) -> dict[str, Any]:
    rest = deepcopy(data)
    del rest[name]
    return rest
