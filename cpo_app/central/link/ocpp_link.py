"""The link to charge points that speak OCPP: questions, that the gateway takes to their stations.

What a session is called at its station is looked up here (domain/ocpp/transactions.py); what is
said to it, and in which version, is the gateway's (cpo_app/ocpp). A start is sent once: one whose
answer was lost is answered by the transaction that it led to. All else may be asked again.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from cpo_app.central.link.link import (
    ChargePointLink,
    LinkAnswer,
    LinkCommand,
    LinkRefused,
    LinkResult,
    LinkUnreachable,
)
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from domain.charge_points import charge_point_documents
from domain.charge_points.evse_states import EvseStatus
from domain.commands.command_targets import place_of
from domain.ocpp import questions, stations, transactions
from domain.ocpp.profiles import part_of
from domain.ocpp.stations import Station, StationSeat
from domain.ocpp.transactions import Transaction
from domain.sessions import session_records
from domain.sites.identifiers import ocpi_id
from domain.times import format_datetime

DEFAULT_TIMEOUT_S = 10.0

_WHY_REFUSED = {
    EvseStatus.CHARGING.value: LinkResult.OCCUPIED,
    EvseStatus.INOPERATIVE.value: LinkResult.INOPERATIVE,
    EvseStatus.OUTOFORDER.value: LinkResult.FAULT,
}
"""RemoteStart is Rejected without a reason: the EVSE's status may say it."""


OF_A_TRANSACTION = ("stop", "set_limit", "clear_limit")
"""Kinds that a transaction must be running for."""


class OcppLink(ChargePointLink):
    def __init__(
        self,
        store: DbInterface,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        seat: StationSeat | None = None,
    ) -> None:
        """`seat`: of the charge point that is asked, where it was looked up already."""
        self._store = store
        self._db = store.db
        self._timeout_s = timeout_s
        self._seat = seat

    def at(self, seat: StationSeat) -> OcppLink:
        """The same, for questions to this charge point alone."""
        return OcppLink(self._store, timeout_s=self._timeout_s, seat=seat)

    async def carry_out(self, command: LinkCommand) -> LinkAnswer:
        """`get_status`: the station is made to say it; it comes as all its states do."""
        if command.kind == "start":
            return await self._start(command)
        if command.kind in OF_A_TRANSACTION:
            return await self._to_transaction(command)
        return await self._said_to(command, command.fields)

    async def _start(self, command: LinkCommand) -> LinkAnswer:
        session_id = command.fields["session_id"]
        session = await session_records.get(self._db, session_id)
        fields = {
            "session_id": session_id,
            "id_tag": command.fields["id_tag"],
            "token_type": None if session is None else session["token"].get("type"),
            "connector_id": command.fields["connector_id"],
        }
        try:
            said = await self._said_to(command, fields, again=False)
        except LinkUnreachable:
            if await transactions.of_session(self._db, session_id) is not None:
                return LinkAnswer(LinkResult.ACCEPTED)
            raise
        if said.result is LinkResult.REJECTED:
            return LinkAnswer(await self._why_refused(command.cp_id), said.message)
        return said

    async def _to_transaction(self, command: LinkCommand) -> LinkAnswer:
        session_id = command.fields["session_id"]
        transaction = await self._running(session_id)
        if isinstance(transaction, LinkAnswer):
            return transaction
        fields = {**command.fields, "transaction_id": transaction["transaction_id"]}
        until = None
        if command.kind == "set_limit":
            fields["connector"] = await self._connector_of(session_id)
            most = (await self._seat_of(command.cp_id))[0].get("max_periods")
            fields["limit"], until = part_of(fields["limit"], most, self._db.now())
        said = await self._said_to(command, fields)
        if until is not None and said.accepted:
            return replace(said, until=until)
        if command.kind == "stop" and said.result is LinkResult.REJECTED:
            now = await self._running(session_id)
            return now if isinstance(now, LinkAnswer) else said
        return said

    async def _said_to(
        self, command: LinkCommand, fields: JsonMapping, *, again: bool = True
    ) -> LinkAnswer:
        answer = await self._ask(
            command.cp_id, command.command_id, command.kind, fields, command.timeout_s, again=again
        )
        return _read(command.cp_id, answer)

    async def active_profile(
        self, cp_id: str, *, session_id: str, duration_s: int, timeout_s: float | None = None
    ) -> JsonMapping | None:
        if isinstance(await self._running(session_id), LinkAnswer):
            return None
        fields = {
            "session_id": session_id,
            "duration_s": duration_s,
            "now": format_datetime(self._db.now()),
        }
        answer = await self._ask(cp_id, str(uuid.uuid4()), "active_profile", fields, timeout_s)
        said = _read(cp_id, answer)
        if not said.accepted:
            raise LinkRefused(f"{cp_id}: {said.message or said.result.value}")
        profile: JsonObject = answer["profile"]
        return profile

    async def _ask(
        self,
        cp_id: str,
        command_id: str,
        op: str,
        fields: JsonMapping,
        timeout_s: float | None,
        *,
        again: bool = True,
    ) -> JsonObject:
        """`again`: harmless twice, so that one whose answer was lost is asked anew."""
        station, evse = await self._seat_of(cp_id)
        given = {
            **fields,
            "connector_id": _number(station, evse, fields.get("connector_id")),
            "rate_units": station.get("rate_units"),
        }
        try:
            return await questions.ask(
                self._store,
                station=station["_id"],
                evse=evse,
                op=op,
                fields={name: value for name, value in given.items() if value is not None},
                question_id=command_id,
                timeout_s=timeout_s or self._timeout_s,
                again=again,
            )
        except questions.Unanswered as error:
            raise LinkUnreachable(f"{cp_id}: {error}", sent=error.sent) from None

    async def _seat_of(self, cp_id: str) -> StationSeat:
        seat = self._seat or await stations.of_charge_point(self._db, cp_id)
        if seat is None:
            raise LinkUnreachable(f"{cp_id} is no charge point with OCPP", sent=False)
        return seat

    async def _running(self, session_id: str) -> Transaction | LinkAnswer:
        """Its transaction, or what there is to say where none runs."""
        found = await transactions.of_session(self._db, session_id)
        if found is None:
            return LinkAnswer(LinkResult.UNKNOWN_SESSION)
        return LinkAnswer(LinkResult.SESSION_ENDED) if found["ended"] else found

    async def _why_refused(self, cp_id: str) -> LinkResult:
        known = await charge_point_documents.get(self._db, cp_id)
        status = "" if known is None else known.get("ocpi_status", "")
        return _WHY_REFUSED.get(status, LinkResult.REJECTED)

    async def _connector_of(self, session_id: str) -> JsonMapping | None:
        """The OCPI Connector of the session, which says what its limits mean in the other unit."""
        session = await session_records.get(self._db, session_id)
        if session is None:
            return None
        place = await place_of(self._db, ocpi_id(session["evse_uid"]))
        if place is None:
            return None
        named = session["connector_id"]
        return next((one for one in place.evse["connectors"] if one["id"] == named), None)


def _number(station: Station, evse: int, connector_id: str | None) -> str | None:
    """The connector as its station counts it."""
    connectors = next(one["connectors"] for one in station["evses"] if one["evse"] == evse)
    known = next((one for one in connectors if one["id"] == connector_id), None)
    return connector_id if known is None else str(known.get("number", connector_id))


def _read(cp_id: str, answer: JsonMapping) -> LinkAnswer:
    try:
        result = LinkResult(answer.get("result"))
    except ValueError:
        raise LinkUnreachable(f"{cp_id}: an answer without a known result", sent=True) from None
    message = answer.get("message")
    return LinkAnswer(result, message if isinstance(message, str) else None)
