"""A card at a reader: what the engine is to do.

Read from the top (docs/authorization.md): the EVSE is unknown; a session holds it (its own card
or one of its group stops it); it cannot serve now; somebody has reserved it; the card is asked
for. Decides nothing about tokens: that is domain.authorization's. Never logs a card's uid.
"""

from __future__ import annotations

from datetime import timedelta

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.authorization.authorization import Authorizer, Decision
from domain.authorization.token_types import is_said_as
from domain.authorization.whitelist import Allowed, AuthMethod
from domain.charge_points import charge_points
from domain.charge_points.evse_states import View
from domain.commands.command_targets import Place, place_of
from domain.objects import OcpiObject
from domain.objects.locations import connector_of
from domain.reservations import reservations
from domain.sessions import charging_sessions
from domain.sessions.charging_sessions import ChargingSession, ConnectorBusy
from domain.sessions.session_rules import Rules
from domain.sites import Party
from domain.sites.identifiers import ocpi_id

Answer = JsonObject
"""{allowed, action: start | stop | none, session_id?, reservation_id?, info?} for the engine."""
Card = JsonMapping
"""{cp_id, connector_id, token_uid, token_type}"""

CLOSED: dict[str, str] = {
    View.DEREGISTERED.value: "The charge point is not in service",
    View.OUT_OF_SERVICE.value: "The charge point is out of service",
    View.FAULTY.value: "The charge point has a fault",
    View.SILENT.value: "The charge point is not being supervised",
    View.SUPPLYING.value: "The charge point is in use",
}
"""Central's states in which no card starts a session, and what the driver is told."""

AUTHORIZED_FOR = timedelta(minutes=15)
"""For this long after its command "the CPO SHALL NOT do a real-time authorization" (mod_commands,
ReserveNow)."""


class CardReaders:
    """`party` owns the charge points' locations."""

    def __init__(
        self, store: DbInterface, party: Party, rules: Rules, authorizer: Authorizer
    ) -> None:
        self._store = store
        self._db = store.db
        self._party = party
        self._rules = rules
        self._authorizer = authorizer

    async def swiped(self, card: Card) -> Answer:
        """The answer for one card. Whatever two swipes at once come to, one session is opened."""
        cp_id = await charge_points.canonical_id(self._db, card["cp_id"]) or card["cp_id"]
        place = await place_of(self._db, ocpi_id(cp_id))
        if place is None or place.charge_point is None or not place.evse.get("connectors"):
            return _none("The charge point has no location yet")
        running = await charging_sessions.running_session(self._db, cp_id)
        if running is not None:
            return await self._occupied(card, place, running)
        if reason := CLOSED.get(place.charge_point.get("state", "")):
            return _none(reason)
        decision = await self._decided(card, place)
        if not decision.charges:
            return _none(decision.info, decision.allowed)
        assert decision.token is not None  # noqa: S101 (what `charges` says)
        if place.held_against(decision.token):
            return _none("The charge point is reserved for another driver")
        return await self._start(card, place, decision)

    async def _decided(self, card: Card, place: Place) -> Decision:
        now = self._db.now()
        reserved = place.reservation
        ask = self._authorizer.at_reader
        asked = (card["token_uid"], card["token_type"], place.location, place.evse, now)
        if reserved is None:
            return await ask(*asked)
        holder = reserved["token"]
        its_own = _is_card_of(holder, card)
        if its_own and now - reserved["created"] <= AUTHORIZED_FOR:
            return Decision(
                Allowed.ALLOWED,
                holder,
                AuthMethod.COMMAND,
                reserved.get("authorization_reference"),
                peer_id=reserved["peer_id"],
            )
        if not its_own and not holder.get("group_id"):
            # Nobody else can start: no eMSP is asked for nothing.
            return Decision(
                Allowed.NOT_ALLOWED, info="The charge point is reserved for another driver"
            )
        return await ask(*asked, party=party_key(holder["country_code"], holder["party_id"]))

    async def _start(self, card: Card, place: Place, decision: Decision) -> Answer:
        reserved = None if place.reservation is None else place.reservation["_id"]

        async def work(tx: Tx) -> str:
            return await self._open(tx, card, place, decision, reserved)

        try:
            session_id = await self._store.transact(work)
        except ConnectorBusy as busy:
            # Another swipe, or a remote start, came first.
            running = await charging_sessions.get(self._db, busy.session_id)
            if running is None:
                return _none("The charge point is in use")
            return await self._occupied(card, place, running)
        return _started(session_id, reserved, decision.info)

    async def _open(
        self, tx: Tx, card: Card, place: Place, decision: Decision, reserved: str | None
    ) -> str:
        """The id of the new session. Its reservation is used up with the start, as the charge
        point's own is. Raises ConnectorBusy."""
        assert place.cp_id is not None  # noqa: S101 (`swiped` has looked)
        running = await charging_sessions.running_session(tx, place.cp_id)
        if running is not None:
            raise ConnectorBusy(running["_id"])
        session_id = await charging_sessions.open_session(
            tx,
            cp_id=place.cp_id,
            location=place.location,
            evse=place.evse,
            connector=_connector(place, card["connector_id"]),
            token=decision.token or {},
            auth_method=decision.auth_method.value,
            authorization_reference=decision.authorization_reference,
            source="local",
            reservation_id=reserved,
            peer_id=decision.peer_id,
            rules=self._rules,
        )
        if reserved is not None:
            await reservations.use(tx, self._party, reserved, session_id)
        return session_id

    async def _occupied(self, card: Card, place: Place, running: ChargingSession) -> Answer:
        holder = running["token"]
        if _is_card_of(holder, card):
            if running["started"] is None and not await self._at_engine(running):
                # Our answer to the first swipe was lost: an engine that knew of the session would
                # have stopped it by itself. The same start again is the same session.
                return _started(running["_id"], running.get("reservation_id"), None)
            return _stop(running["_id"])
        if await self._authorizer.in_group(
            card["token_uid"], card["token_type"], holder, place.location, place.evse
        ):
            return _stop(running["_id"])
        return _none("The charge point is in use")

    async def _at_engine(self, running: ChargingSession) -> bool:
        """Whether the charge point has reported the session."""
        charge_point = await charge_points.get(self._db, running["cp_id"])
        connectors = (charge_point or {}).get("connectors", ())
        return any(one.get("session_id") == running["_id"] for one in connectors)


def _is_card_of(token: OcpiObject, card: Card) -> bool:
    same_uid: bool = token["uid"].lower() == card["token_uid"].lower()
    return same_uid and is_said_as(token["type"], card["token_type"])


def _connector(place: Place, connector_id: str) -> OcpiObject:
    """The reader's connector; of an engine that numbers them otherwise, the first."""
    return connector_of(place.evse, connector_id) or place.evse["connectors"][0]


def _started(session_id: str, reservation_id: str | None, info: str | None) -> Answer:
    answer = {"allowed": Allowed.ALLOWED.value, "action": "start", "session_id": session_id}
    if reservation_id is not None:
        answer["reservation_id"] = reservation_id
    return _with_info(answer, info)


def _stop(session_id: str) -> Answer:
    return {"allowed": Allowed.ALLOWED.value, "action": "stop", "session_id": session_id}


def _none(info: str | None, allowed: Allowed = Allowed.NOT_ALLOWED) -> Answer:
    return _with_info({"allowed": allowed.value, "action": "none"}, info)


def _with_info(answer: Answer, info: str | None) -> Answer:
    return {**answer, "info": info} if info else answer
