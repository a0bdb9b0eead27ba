"""Small valid-looking objects of our party NL/EVC, for pushes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from db_interface.owned_objects import OwnedObject, party_key
from domain.objects.locations import owned_location

AT = "2024-05-01T10:00:00Z"
TOKEN = {"country_code": "DE", "party_id": "TNM", "uid": "U1", "type": "RFID", "contract_id": "C1"}


def evse(uid: str, status: str = "AVAILABLE", at: str = AT) -> dict[str, Any]:
    return {"uid": uid, "status": status, "connectors": [{"id": "1"}], "last_updated": at}


def location(
    id_: str, *, at: str = AT, name: str = "Here", evses: Any = None, **fields: Any
) -> dict[str, Any]:
    return {
        "country_code": "NL",
        "party_id": "EVC",
        "id": id_,
        "publish": True,
        "name": name,
        "evses": [evse("E1"), evse("E2")] if evses is None else evses,
        "last_updated": at,
        **fields,
    }


def owned(fields: dict[str, Any], audience: str) -> OwnedObject:
    return OwnedObject(
        fields["country_code"],
        fields["party_id"],
        (fields["id"],),
        fields,
        datetime(2024, 5, 1, tzinfo=timezone.utc),
        audience=audience,
    )


def private(fields: dict[str, Any]) -> OwnedObject:
    return owned_location(fields, private=True)


def tariff(id_: str, price: float = 0.25) -> OwnedObject:
    fields = {"country_code": "NL", "party_id": "EVC", "id": id_, "currency": "EUR", "price": price}
    return owned({**fields, "last_updated": AT}, "*")


def session(
    id_: str, kwh: float = 0.0, status: str = "ACTIVE", token: Any = None, **fields: Any
) -> OwnedObject:
    token = token or TOKEN
    whole = {
        "country_code": "NL",
        "party_id": "EVC",
        "id": id_,
        "kwh": kwh,
        "status": status,
        "cdr_token": token,
        "charging_periods": [],
        "last_updated": AT,
        **fields,
    }
    return owned(whole, party_key(token["country_code"], token["party_id"]))


def cdr(id_: str, session_id: str | None = None, token: Any = None) -> OwnedObject:
    token = token or TOKEN
    fields = {
        "country_code": "NL",
        "party_id": "EVC",
        "id": id_,
        "cdr_token": token,
        "total_cost": {"excl_vat": 1.5},
        "last_updated": AT,
    }
    if session_id:
        fields["session_id"] = session_id
    return owned(fields, party_key(token["country_code"], token["party_id"]))
