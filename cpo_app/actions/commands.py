"""What a charge point is asked to do: start, stop, unlock, reserve, cancel a reservation.

It is asked behind the answer: how that has ended, the command itself says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from pydantic import Field, validator

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.charge_points import OneChargePoint
from cpo_app.actions.house import House
from cpo_app.actions.readings import party_key
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.authorization.token_types import TOKEN_TYPES
from domain.charge_points.charge_points import canonical_id
from domain.commands import operator_commands
from domain.commands.command_queue import Command
from domain.commands.command_targets import place_of
from domain.commands.operator_commands import Driver, NotAsked
from domain.operators.actor import Role
from domain.schemas import parse_datetime
from domain.sites.identifiers import ocpi_id

MAX_MINUTES = 24 * 60
_REFUSALS: dict[type[Exception], int] = {NotAsked: 409}
_TYPES = list(TOKEN_TYPES)
_CONNECTOR = Field(None, max_length=36, title="Connector (empty: its only one)")


class WithCard(OneChargePoint):
    card: str | None = Field(
        None,
        max_length=36,
        title="The driver's card, its UID (empty: our own party's; nobody is sent the bill)",
        format="password",
    )
    card_type: str = Field("RFID", max_length=20, title="Type of the card", enum=_TYPES)
    party: str | None = Field(
        None, max_length=6, title="The card's party (NL/TNM), where several have that UID"
    )

    @validator("card_type")
    def _a_type(cls, value: str) -> str:
        if value not in _TYPES:
            raise ValueError(f"is none of {', '.join(_TYPES)}")
        return value


class Starting(WithCard):
    connector_id: str | None = _CONNECTOR


class Stopping(OneChargePoint):
    session_id: str | None = Field(
        None, max_length=64, title="Session (empty: the only one that runs there)"
    )


class Unlocking(OneChargePoint):
    connector_id: str | None = _CONNECTOR


class Reserving(WithCard):
    minutes: int = Field(30, ge=1, le=MAX_MINUTES, title="For so many minutes")
    until: datetime | None = Field(None, title="Or until (2025-05-01T12:00:00Z)")

    @validator("until", pre=True)
    def _time(cls, value: object) -> object:
        return parse_datetime(value) if isinstance(value, str) else value


def _about(given: OneChargePoint) -> tuple[About, ...]:
    return (audit.charge_point(given.cp_id),)


async def _start(house: House, given: Starting) -> JsonObject:
    driver = await _driver(house, given)

    async def ask(tx: Tx, cp_id: str, within: timedelta) -> Command:
        return await operator_commands.start(tx, cp_id, given.connector_id, driver, within)

    return await _asked(house, given, ask)


async def _stop(house: House, given: Stopping) -> JsonObject:
    async def ask(tx: Tx, cp_id: str, within: timedelta) -> Command:
        return await operator_commands.stop(tx, cp_id, given.session_id, within)

    return await _asked(house, given, ask)


async def _unlock(house: House, given: Unlocking) -> JsonObject:
    async def ask(tx: Tx, cp_id: str, within: timedelta) -> Command:
        return await operator_commands.unlock(tx, cp_id, given.connector_id, within)

    return await _asked(house, given, ask)


async def _reserve(house: House, given: Reserving) -> JsonObject:
    driver = await _driver(house, given)

    async def ask(tx: Tx, cp_id: str, within: timedelta) -> Command:
        until = given.until or tx.now + timedelta(minutes=given.minutes)
        return await operator_commands.reserve(tx, cp_id, driver, until, within)

    return await _asked(house, given, ask)


async def _cancel(house: House, given: OneChargePoint) -> JsonObject:
    return await _asked(house, given, operator_commands.cancel_reservation)


_Ask = Callable[[Tx, str, timedelta], Awaitable[Command]]


async def _asked(house: House, given: OneChargePoint, ask: _Ask) -> JsonObject:
    within = timedelta(seconds=house.settings.COMMAND_AWAIT_TIME)

    async def work(tx: Tx) -> Command:
        cp_id = await canonical_id(tx, given.cp_id)
        if cp_id is None:
            raise Refused(404, f"{given.cp_id}: no such charge point")
        return await ask(tx, cp_id, within)

    command = await house.store.transact(work)
    house.wake_commands()
    return operator_commands.shown(command)


async def _driver(house: House, given: WithCard) -> Driver | None:
    """Whoever's card it is, authorized as at the reader; None: our own party."""
    if not given.card:
        return None
    party = party_key(given.party) if given.party else None
    cp_id = await canonical_id(house.store.db, given.cp_id) or given.cp_id
    place = await place_of(house.store.db, ocpi_id(cp_id))
    if place is None:
        raise Refused(404, f"{given.cp_id} stands at no location that is offered")
    said = await house.authorize(given.card, given.card_type, place.location, place.evse, party)
    if not said.charges or said.token is None:
        why = f": {said.info}" if said.info else ""
        raise Refused(409, f"the card may not charge here, {said.allowed.value}{why}")
    return Driver(said.token, said.auth_method.value, said.authorization_reference, said.peer_id)


_ASKED = "Asked: how it has ended, the command says."

START = Action(
    name="commands.start",
    title="Start a session",
    meaning="Starts a session at a connector, for a driver's card, which is authorized as at the "
    "reader, or for our own party.",
    done=_ASKED,
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/start",
    parameters=Starting,
    run=_start,
    about=_about,
    refusals=_REFUSALS,
)
STOP = Action(
    name="commands.stop",
    title="Stop the session",
    meaning="Ends the session that runs there; it is billed with what was measured.",
    done=_ASKED,
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/stop",
    parameters=Stopping,
    run=_stop,
    about=_about,
    refusals=_REFUSALS,
)
UNLOCK = Action(
    name="commands.unlock",
    title="Unlock a connector",
    meaning="Lets a cable go that is stuck; a session at that connector ends by it.",
    done=_ASKED,
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/unlock",
    parameters=Unlocking,
    run=_unlock,
    about=_about,
    refusals=_REFUSALS,
)
RESERVE = Action(
    name="commands.reserve",
    title="Reserve",
    meaning="Holds it for a driver's card, which is authorized as at the reader, or for our own "
    "party; peers see RESERVED, and the tariff says what it costs.",
    done=_ASKED,
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/reserve",
    parameters=Reserving,
    run=_reserve,
    about=_about,
    refusals=_REFUSALS,
)
CANCEL_RESERVATION = Action(
    name="commands.cancel_reservation",
    title="Cancel the reservation",
    meaning="Frees it from the reservation that holds it now, whoever's: the eMSP that asked for "
    "it is told.",
    done=_ASKED,
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/cancel-reservation",
    parameters=OneChargePoint,
    run=_cancel,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
ACTIONS = (START, STOP, UNLOCK, RESERVE, CANCEL_RESERVATION)
