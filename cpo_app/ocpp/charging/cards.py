"""May this card charge? Asked with Authorize, and where a start was not asked for before.

The decision is Authorizer's alone; a start that an eMSP or the operator has commanded is
authorized by that. Never logs a card's uid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cpo_app.ocpp.handlers import Incoming
from db_interface.collection import Where
from domain.authorization.authorization import Decision
from domain.authorization.whitelist import Allowed, AuthMethod
from domain.commands.command_targets import place_of
from domain.ocpp import authorizations
from domain.ocpp.ids import folded_tag, id_tag, remote_start_id
from domain.ocpp.seats import Seat
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import latest_at
from domain.sessions.session_states import Status
from domain.sites.identifiers import ocpi_id

RFID, APP_USER, OTHER, EMAID = "RFID", "APP_USER", "OTHER", "EMAID"
TOKEN_TYPES = {
    "ISO14443": RFID,
    "ISO15693": RFID,
    "eMAID": EMAID,
    "Central": APP_USER,
    "KeyCode": OTHER,
    "Local": OTHER,
    "MacAddress": OTHER,
}
"""idToken.type of 2.0.1 as OCPI's TokenType; NoAuthorization is no token. 2.1 leaves the list open:
what is not in it is OTHER."""
COMMANDED_FOR = timedelta(hours=1)
"""For so long a start by command waits for the charge point's, known by its card alone."""
_LOOKED_AT = 8
OFFLINE = "it began while its charge point was offline, and CPO_OCPP_OFFLINE_ALLOWED is off"
NO_TOKEN = "it names no token"


@dataclass(frozen=True)
class Card:
    uid: str
    token_type: str = RFID


@dataclass(frozen=True)
class Authority:
    """`refused`: why a session by it is held; None: it is authorized."""

    decision: Decision
    refused: str | None = None


class ToBeDecided(Exception):
    """Raised in a transaction: whether the card may charge there has to be asked outside of it."""

    def __init__(self, seat: Seat, card: Card, *, offline: bool) -> None:
        super().__init__(seat.cp_id)
        self.seat, self.card, self.offline = seat, card, offline


async def authorize(incoming: Incoming, card: Card) -> Decision:
    """A card that is shown at a station, before anything starts."""
    store, station_id = incoming.store, incoming.connection.station_id
    evses = incoming.connection.station["evses"]
    for evse in evses:
        if await commanded(store.db, evse["cp_id"], card, None, incoming.received_at):
            return Decision(Allowed.ALLOWED, auth_method=AuthMethod.COMMAND)
    cp_id = evses[0]["cp_id"] if evses else station_id
    decision = await _at_reader(incoming, cp_id, card)
    await authorizations.remember(store.db, station_id, card.uid, decision)
    return decision


async def decide(incoming: Incoming, asked: ToBeDecided) -> Authority:
    """Whether what has started already was allowed to."""
    db, card = incoming.store.db, asked.card
    decision = await authorizations.recall(db, incoming.connection.station_id, card.uid)
    if decision is None and asked.offline:
        decision = await incoming.central.authorizer.unasked(card.uid, card.token_type)
        if decision.charges and not incoming.settings.CPO_OCPP_OFFLINE_ALLOWED:
            return Authority(decision, OFFLINE)
    if decision is None:
        decision = await _at_reader(incoming, asked.seat.cp_id, card)
    if decision.charges:
        return Authority(decision)
    return Authority(decision, f"its card may not charge: {decision.allowed.value}")


async def commanded(
    where: Where, cp_id: str, card: Card | None, remote_start: int | None, at: datetime
) -> ChargingSession | None:
    """The session that a command has opened there and that waits for this start, or None."""
    for session in await latest_at(where, cp_id, _LOOKED_AT):
        if session["started"] is not None:
            continue
        if remote_start is not None and remote_start == remote_start_id(session["_id"]):
            return session
        if card is None or session["source"] != "remote" or not _waits(session, at):
            continue
        if folded_tag(id_tag(session["token"]["uid"])) == folded_tag(id_tag(card.uid)):
            return session
    return None


def _waits(session: ChargingSession, at: datetime) -> bool:
    """Also where we have given up waiting: drivers are slow with their cables."""
    open_yet = session["running"] or session.get("suspect") is not None
    in_time = at - session["created"] <= COMMANDED_FOR
    return open_yet and in_time and session["status"] in (Status.PENDING, Status.RESERVATION)


async def _at_reader(incoming: Incoming, cp_id: str, card: Card) -> Decision:
    place = await place_of(incoming.store.db, ocpi_id(cp_id))
    if place is None:
        return Decision(Allowed.NOT_ALLOWED, info="The charge point has no location yet")
    ask = incoming.central.authorizer.at_reader
    reserved = place.reservation
    now = incoming.store.db.now()
    decision = await ask(card.uid, card.token_type, place.location, place.evse, now)
    if reserved is None or decision.token is None or not decision.charges:
        return decision
    if place.held_against(decision.token):
        return decision
    reference = decision.authorization_reference or reserved.get("authorization_reference")
    return replace(decision, authorization_reference=reference)
