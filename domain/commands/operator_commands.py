"""What we ourselves ask of a charge point: start, stop, unlock, reserve, cancel a reservation.

The same commands as peers', in the same queue and with the same deadline. Nobody waits for their
result: it stands in the command, which names who has asked (`by`). A driver's card is authorized
before, as at the reader; without a card it is our own party that charges, and nobody is sent the
bill.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from db_interface.json_data import JsonObject
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import record
from domain.commands import command_queue as queue
from domain.commands.command_intake import MAX_WAITING
from domain.commands.command_queue import Command
from domain.commands.command_targets import OUT_OF_USE, Place, place_of
from domain.commands.evse_choice import REMOTE_START, RESERVABLE
from domain.errors import OcpiError
from domain.objects import OcpiObject
from domain.operators.actor import current_actor
from domain.reservations import reservations
from domain.sessions.session_records import SESSIONS, get
from domain.sites.identifiers import ocpi_id
from domain.times import format_datetime

ASKED_BY = "operator"
"""Where reservations of peers have the peer's id."""
OWN_UID = "OPERATOR"
UNLOCK = "UNLOCK_CAPABLE"
_AD_HOC = "AD_HOC_USER"
_COMMAND = "COMMAND"


class NotAsked(ValueError):
    """The charge point is not asked; the message says why."""


@dataclass(frozen=True)
class Driver:
    """Who charges, and how he was authorized (mod_cdrs, AuthMethod); `peer_id`: behind his card."""

    token: OcpiObject
    auth_method: str = _COMMAND
    authorization_reference: str | None = None
    peer_id: str | None = None


def _ourselves(place: Place) -> Driver:
    """Our own party, which has the location: nobody is sent the bill."""
    country_code, party_id = place.location["country_code"], place.location["party_id"]
    return Driver(
        {
            "country_code": country_code,
            "party_id": party_id,
            "uid": OWN_UID,
            "type": _AD_HOC,
            "contract_id": f"{country_code}-{party_id}-{OWN_UID}",
        }
    )


async def start(
    tx: Tx, cp_id: str, connector_id: str | None, driver: Driver | None, within: timedelta
) -> Command:
    """`driver`: None is our own party. Raises NotAsked."""
    place = await _place(tx, cp_id, REMOTE_START)
    driver = driver or _ourselves(place)
    connector = _connector(place, connector_id)
    if place.held_against(driver.token):
        raise NotAsked(f"{cp_id} is reserved for another driver")
    if place.status in OUT_OF_USE:
        raise NotAsked(f"{cp_id} is {place.status}")
    content = {
        "token": driver.token,
        "auth_method": driver.auth_method,
        "authorization_reference": driver.authorization_reference,
        "behind": driver.peer_id,
        "location_id": place.location["id"],
        "evse_uid": place.evse["uid"],
        "connector_id": connector["id"],
        "any_evse": False,
        "tried": [],
    }
    session_id = str(uuid.uuid4())
    return await _ask(tx, "START_SESSION", place, content, within, session_id=session_id)


async def stop(tx: Tx, cp_id: str, session_id: str | None, within: timedelta) -> Command:
    """The session that runs there; `session_id` where there are several. Raises NotAsked."""
    place = await _place(tx, cp_id, REMOTE_START)
    running = await SESSIONS.of(tx).find({"cp_id": place.cp_id, "running": True}, {"_id": 1})
    ids = [row["_id"] for row in running]
    if session_id is None:
        if len(ids) != 1:
            said = f"{len(ids)} sessions run at {cp_id}: name one of {', '.join(ids)}"
            raise NotAsked(said if ids else f"no session runs at {cp_id}")
        session_id = ids[0]
    elif session_id not in ids:
        known = await get(tx, session_id)
        if known is None or known["cp_id"] != place.cp_id or not known.get("suspect"):
            raise NotAsked(f"session {session_id} does not run at {cp_id}")
    return await _ask(tx, "STOP_SESSION", place, {}, within, session_id=session_id)


async def unlock(tx: Tx, cp_id: str, connector_id: str | None, within: timedelta) -> Command:
    """Whoever's car is there. Raises NotAsked."""
    place = await _place(tx, cp_id, UNLOCK)
    connector = _connector(place, connector_id)
    content = {"evse_uid": place.evse["uid"], "connector_id": connector["id"]}
    return await _ask(tx, "UNLOCK_CONNECTOR", place, content, within)


async def reserve(
    tx: Tx, cp_id: str, driver: Driver | None, expiry: datetime, within: timedelta
) -> Command:
    """Until `expiry`. Raises NotAsked."""
    place = await _place(tx, cp_id, RESERVABLE)
    driver = driver or _ourselves(place)
    if expiry <= tx.now:
        raise NotAsked(f"{format_datetime(expiry)} has passed")
    if place.reservation is not None:
        raise NotAsked(f"{cp_id} is reserved already, until {_until(place)}")
    if place.status in OUT_OF_USE:
        raise NotAsked(f"{cp_id} is {place.status}")
    holder = party_key(driver.token["country_code"], driver.token["party_id"])
    reservation_id = uuid.uuid4().hex[:12]
    content = {
        "token": driver.token,
        "authorization_reference": driver.authorization_reference,
        "behind": driver.peer_id,
        "reservation_id": reservation_id,
        "reservation": reservations.inner_id(ASKED_BY, holder, reservation_id),
        "expiry_date": expiry,
        "location_id": place.location["id"],
        "evse_uid": place.evse["uid"],
        "any_evse": False,
        "tried": [],
    }
    return await _ask(tx, "RESERVE_NOW", place, content, within)


async def cancel_reservation(tx: Tx, cp_id: str, within: timedelta) -> Command:
    """The reservation that holds it now, whoever's; its eMSP is told. Raises NotAsked."""
    place = await _place(tx, cp_id, RESERVABLE)
    if place.reservation is None:
        raise NotAsked(f"{cp_id} is not reserved")
    content = {"reservation": place.reservation["_id"]}
    return await _ask(tx, "CANCEL_RESERVATION", place, content, within)


def shown(command: Command) -> JsonObject:
    """What whoever has asked is told."""
    return {
        "command_id": command["_id"],
        "kind": command["kind"],
        "cp_id": command["cp_id"],
        "session_id": command.get("session_id"),
        "deadline": format_datetime(command["deadline"]),
    }


async def _place(tx: Tx, cp_id: str, capability: str) -> Place:
    place = await place_of(tx, ocpi_id(cp_id))
    if place is None or place.cp_id is None:
        raise NotAsked(f"{cp_id} stands at no location that is offered")
    if place.charge_point is None:
        raise NotAsked(f"{cp_id} was never heard of by EV_Central")
    if not place.can(capability):
        raise NotAsked(f"{cp_id} is not {capability}")
    return place


def _connector(place: Place, connector_id: str | None) -> OcpiObject:
    if connector_id is None and len(place.evse["connectors"]) > 1:
        ids = ", ".join(one["id"] for one in place.evse["connectors"])
        raise NotAsked(f"{place.cp_id} has several connectors: name one of {ids}")
    try:
        return place.connector(connector_id)
    except OcpiError:
        raise NotAsked(f"{place.cp_id} has no connector {connector_id}") from None


def _until(place: Place) -> str:
    assert place.reservation is not None  # noqa: S101 (who calls has looked)
    return format_datetime(place.reservation["expiry_date"])


async def _ask(
    tx: Tx,
    kind: str,
    place: Place,
    content: JsonObject,
    within: timedelta,
    *,
    session_id: str | None = None,
) -> Command:
    assert place.cp_id is not None  # noqa: S101 (`_place` has looked)
    if await queue.waiting(tx, place.cp_id, MAX_WAITING) >= MAX_WAITING:
        raise NotAsked(f"too many commands wait for {place.cp_id}")
    actor = current_actor()
    also: Command = {
        "content": content,
        "session_id": session_id,
        "by": {"kind": actor.kind.value, "name": actor.name},
    }
    command = await queue.add(tx, kind, cp_id=place.cp_id, deadline=tx.now + within, also=also)
    about = [audit.charge_point(place.cp_id)]
    if session_id is not None:
        about.append(audit.session(session_id))
    after = {"command_id": command["_id"], "kind": kind}
    await record(tx, "charge_points.command", *about, after=after)
    return command
