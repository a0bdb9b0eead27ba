"""START_SESSION, STOP_SESSION, UNLOCK_CONNECTOR, and INNER_STOP that makes a late start good.

A start that got TIMEOUT and may have reached the charge point is stopped again: the eMSP was
told that nothing started and may have sent its driver elsewhere. What was charged until then is
a Session as any other.
"""

from __future__ import annotations

import uuid

from cpo_app.central.commands.command_steps import (
    INNER_STOP,
    TRY_NEXT,
    Ask,
    Body,
    Decided,
    Elsewhere,
    Kind,
    body_of,
    cp_id_of,
    session_id_of,
    timed_out,
)
from cpo_app.central.link.link import LinkAnswer, LinkResult
from db_interface.transaction import Tx
from domain.commands.command_intake import result_body
from domain.commands.command_queue import Command
from domain.commands.command_states import State
from domain.commands.command_targets import Place, place_of, plugged_in_by_another
from domain.commands.evse_choice import choose_for_start, none_free
from domain.errors import OcpiError
from domain.reservations import reservations
from domain.reservations.reservation_sessions import COMMAND
from domain.sessions import charging_sessions
from domain.sessions.charging_sessions import ConnectorBusy
from domain.sessions.session_doubts import fell_silent
from domain.sessions.session_records import set_beside
from domain.visibility import Reader

NOT_STARTED = "the charge point did not start it"
TOO_LATE = "the charge point did not answer in time"
NOT_KNOWN_THERE = "its charge point does not know it"


class Start(Kind):
    async def prepare(self, tx: Tx, command: Command) -> Ask | Decided | Elsewhere:
        content = command["content"]
        place = await place_of(tx, content["evse_uid"])
        if place is None or place.cp_id is None or place.cp_id != command["cp_id"]:
            return Decided(result_body("EVSE_INOPERATIVE", "The EVSE is gone"))
        if place.held_against(content["token"]):
            refused = result_body("REJECTED", "The EVSE is reserved for another driver")
            return await self._next_or(tx, refused, command)
        reserved = place.reservation
        reference = content.get("authorization_reference")
        if reserved is not None and reference is None:
            reference = reserved.get("authorization_reference")
        try:
            connector = place.connector(content.get("connector_id"))
            session_id = await charging_sessions.open_session(
                tx,
                cp_id=place.cp_id,
                location=place.location,
                evse=place.evse,
                connector=connector,
                token=content["token"],
                auth_method=content.get("auth_method") or COMMAND,
                authorization_reference=reference,
                source="remote",
                session_id=session_id_of(command),
                command_id=command["_id"],
                reservation_id=None if reserved is None else reserved["_id"],
                peer_id=command.get("peer_id") or content.get("behind"),
                rules=self.context.rules,
            )
        except ConnectorBusy:
            return await self._next_or(tx, result_body("EVSE_OCCUPIED"), command)
        except OcpiError as error:
            return Decided(result_body("REJECTED", str(error)))
        return Ask(
            {
                "session_id": session_id,
                "content.connector_id": connector["id"],
                "content.reservation": None if reserved is None else reserved["_id"],
            }
        )

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        content = command["content"]
        return await self.context.link.start(
            cp_id_of(command),
            command["_id"],
            session_id=session_id_of(command),
            id_tag=content["token"]["uid"],
            connector_id=content["connector_id"],
            reservation_id=content["reservation"],
            timeout_s=timeout_s,
        )

    async def conclude(self, tx: Tx, command: Command, said: LinkAnswer) -> Decided | Elsewhere:
        if said.accepted:
            await self._use_reservation(tx, command)
            return Decided(body_of(said))
        await charging_sessions.abandon(tx, session_id_of(command), NOT_STARTED, self.context.rules)
        if said.result in TRY_NEXT:
            return await self._next_or(tx, body_of(said), command)
        return Decided(body_of(said))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        if command["state"] != State.SENT.value:
            return timed_out()
        if surely_unsent:
            await charging_sessions.abandon(
                tx, session_id_of(command), TOO_LATE, self.context.rules
            )
            return timed_out()
        # Should it turn out to have begun, and this stop not have reached it, it is stopped then.
        await set_beside(tx, session_id_of(command), {"undone": True})
        also: Command = {
            "session_id": command["session_id"],
            "content": {"reservation": command["content"].get("reservation")},
        }
        await self.owe(tx, INNER_STOP, command, also)
        return timed_out()

    async def _next_or(self, tx: Tx, refused: Body, command: Command) -> Decided | Elsewhere:
        """Another EVSE of the location where any will do; else `refused`."""
        content = command["content"]
        if not content["any_evse"]:
            return Decided(refused)
        tried = [*content["tried"], command["cp_id"]]
        places = await self.places(tx, command)
        chosen: Place | None = choose_for_start(places, content["token"], tried)
        if chosen is None or chosen.cp_id is None:
            return Decided(none_free(places) if places else refused)
        return Elsewhere(
            chosen.cp_id,
            {
                "session_id": str(uuid.uuid4()),
                "content.evse_uid": chosen.evse["uid"],
                "content.connector_id": None,
                "content.tried": tried,
            },
        )

    async def _use_reservation(self, tx: Tx, command: Command) -> None:
        key = command["content"]["reservation"]
        if key is not None:
            await reservations.use(tx, self.context.party, key, session_id_of(command))


class Stop(Kind):
    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        return await self.context.link.stop(
            cp_id_of(command),
            command["_id"],
            session_id=session_id_of(command),
            timeout_s=timeout_s,
        )

    async def conclude(self, tx: Tx, command: Command, said: LinkAnswer) -> Decided | Elsewhere:
        return Decided(body_of(said))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        return timed_out()


class InnerStop(Stop):
    """Ends what a start has left behind of which the eMSP was told that it timed out."""

    async def conclude(self, tx: Tx, command: Command, said: LinkAnswer) -> Decided | Elsewhere:
        key = command["content"].get("reservation")
        ran = said.accepted or said.result is LinkResult.SESSION_ENDED
        if ran and key is not None:
            # The charge point gave the reservation up when it started.
            await reservations.use(tx, self.context.party, key, session_id_of(command))
        # One that has ended there is closed by its telemetry, which is on the way. And one that is
        # not known there may have been: its charge point's word may still come.
        if said.result is LinkResult.UNKNOWN_SESSION:
            await fell_silent(tx, session_id_of(command), NOT_KNOWN_THERE)
        return Decided(body_of(said))


class Unlock(Kind):
    async def prepare(self, tx: Tx, command: Command) -> Ask | Decided | Elsewhere:
        content = command["content"]
        place = await place_of(tx, content["evse_uid"])
        if "by" in command:  # our own people may end anybody's session
            gone = result_body("REJECTED", "The EVSE is gone")
            return Ask() if place is not None else Decided(gone)
        reader = Reader(tuple(content["parties"]), holds=tuple(content["audiences"]))
        if place is None or await plugged_in_by_another(tx, place, content["connector_id"], reader):
            return Decided(result_body("REJECTED"))
        return Ask()

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        return await self.context.link.unlock(
            cp_id_of(command),
            command["_id"],
            connector_id=command["content"]["connector_id"],
            timeout_s=timeout_s,
        )

    async def conclude(self, tx: Tx, command: Command, said: LinkAnswer) -> Decided | Elsewhere:
        return Decided(body_of(said))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        return timed_out()
