"""A transaction becomes a session: the one that a command has opened, one by a card, or nobody's.

No start is refused here, for it has happened: who is not authorized gets a session that is held,
and where no token is known the charge point's words are kept as dead letters, and shown.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cpo_app.ocpp.charging.cards import NO_TOKEN, Authority, Card, ToBeDecided, commanded
from cpo_app.ocpp.charging.station_clock import Times
from cpo_app.ocpp.charging.times import BEFORE_CONNECTION
from cpo_app.ocpp.handlers import Incoming
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.authorization.whitelist import Allowed
from domain.commands.command_targets import Place, place_of
from domain.objects import OcpiObject
from domain.objects.locations import connector_of
from domain.ocpp import authorizations, transactions
from domain.ocpp.seats import Seat
from domain.ocpp.transactions import Transaction
from domain.reservations import reservations
from domain.schemas import SchemaError
from domain.sessions.charging_sessions import open_session
from domain.sessions.session_document import ChargingSession, Hold
from domain.sessions.session_holds import hold
from domain.sessions.unannounced_sessions import UnknownOrigin, make_way, open_unannounced
from domain.sites.identifiers import ocpi_id

CLOCK_NEVER_SET = "its charge point's clock was never set"
ACCEPTED: JsonObject = {"allowed": Allowed.ALLOWED.value}


async def begin(
    tx: Tx,
    incoming: Incoming,
    transaction: Transaction,
    *,
    seat: Seat,
    card: Card | None,
    remote_start: int | None,
    authority: Authority | None,
    clock: Times,
    told_at: datetime,
    offline: bool,
) -> Transaction:
    """The transaction, which has its session now; what Central is to be told of it follows.

    `told_at`: when it began, by its charge point's `clock`. Raises ToBeDecided where `authority`
    is wanted and not given.
    """
    at = clock.ours(told_at)
    offline = offline or at < incoming.connection.since - BEFORE_CONNECTION
    session = await commanded(tx, seat.cp_id, card, remote_start, at)
    changes: Transaction = {"begun": True, "begun_at": at}
    if at == told_at:
        changes["begun_told_at"] = told_at
    if session is not None:
        changes.update(await _by_command(session))
    elif card is None:
        changes["nobodys"] = True
    elif authority is None:
        raise ToBeDecided(seat, card, offline=offline)
    else:
        changes.update(await _by_card(tx, incoming, transaction, seat, card, authority, at))
    changed: Transaction = {**transaction, **changes}
    await transactions.supersede(tx, changed)
    if clock.never_set(told_at):
        await hold(tx, changed["session_id"], CLOCK_NEVER_SET, incoming.central.rules)
    return changed


def began_message(transaction: Transaction, card: Card | None, at: datetime) -> JsonObject:
    """As telemetry has it."""
    named = {} if card is None else {"id_tag": card.uid}
    return {
        "kind": "session_started",
        "session_id": transaction["session_id"],
        "connector_id": transaction["session_connector"],
        "register_wh": transaction["counter"]["start_wh"],
        "source": "local",
        "at": at,
        **named,
    }


async def _by_command(session: ChargingSession) -> Transaction:
    answer: JsonObject = {**ACCEPTED, "group": session["token"].get("group_id")}
    return {
        "session_id": session["_id"],
        "session_connector": session["connector_id"],
        "answer": answer,
    }


async def _by_card(
    tx: Tx,
    incoming: Incoming,
    transaction: Transaction,
    seat: Seat,
    card: Card,
    authority: Authority,
    at: datetime,
) -> Transaction:
    decision = authority.decision
    answer: JsonObject = {
        "allowed": decision.allowed.value,
        "group": (decision.token or {}).get("group_id"),
    }
    place = await place_of(tx, ocpi_id(seat.cp_id))
    connector = None if place is None else _connector(place, seat)
    named = seat.connector_id if connector is None else connector["id"]
    if not decision.charges or place is None or connector is None:
        # A place that has no location yet: the words are kept until it has one.
        seat = replace(seat, connector_id=named)
        known = await _held(tx, incoming, transaction, seat, card, authority, at)
        return {"answer": answer, "nobodys": not known, "session_connector": named}
    await authorizations.use(tx, incoming.connection.station_id, card.uid)
    return await _authorized(tx, incoming, transaction, place, connector, authority, at, answer)


async def _authorized(
    tx: Tx,
    incoming: Incoming,
    transaction: Transaction,
    place: Place,
    connector: OcpiObject,
    authority: Authority,
    at: datetime,
    answer: JsonObject,
) -> Transaction:
    decision = authority.decision
    assert decision.token is not None  # noqa: S101 (it charges)
    reserved = place.reservation
    against = place.held_against(decision.token)
    if against:
        answer = {**answer, "allowed": Allowed.NOT_ALLOWED.value}
    key = None if reserved is None or against else reserved["_id"]
    held: Hold | None = None
    if authority.refused is not None:
        held = {"since": tx.now, "why": authority.refused}
    cp_id = transaction["cp_id"]
    await make_way(tx, cp_id, connector["id"])
    session_id = await open_session(
        tx,
        cp_id=cp_id,
        location=place.location,
        evse=place.evse,
        connector=connector,
        token=decision.token,
        auth_method=decision.auth_method.value,
        authorization_reference=decision.authorization_reference,
        source="local",
        at=min(at, tx.now),
        session_id=transaction["session_id"],
        reservation_id=key,
        peer_id=decision.peer_id,
        held=held,
        rules=incoming.central.rules,
    )
    if key is not None:
        await reservations.use(tx, incoming.central.party, key, session_id)
    return {"session_id": session_id, "session_connector": connector["id"], "answer": answer}


async def _held(
    tx: Tx,
    incoming: Incoming,
    transaction: Transaction,
    seat: Seat,
    card: Card,
    authority: Authority,
    at: datetime,
) -> bool:
    """A session that is held, if a token is known by which it can be one; whether there is."""
    try:
        await open_unannounced(
            tx,
            cp_id=seat.cp_id,
            connector_id=seat.connector_id,
            session_id=transaction["session_id"],
            id_tag=card.uid,
            source="local",
            at=at,
            rules=incoming.central.rules,
            refused=authority.refused or NO_TOKEN,
        )
    except (UnknownOrigin, SchemaError):
        return False
    return True


def _connector(place: Place, seat: Seat) -> OcpiObject | None:
    """The seat's; of a charge point that numbers them otherwise than its registration, the
    first."""
    connectors: list[OcpiObject] = place.evse.get("connectors") or []
    first = connectors[0] if connectors else None
    return connector_of(place.evse, seat.connector_id) or first
