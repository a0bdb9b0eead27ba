"""START_SESSION, STOP_SESSION, UNLOCK_CONNECTOR, and INNER_STOP that makes a late start good.

A start that got TIMEOUT and may have reached the charge point is stopped again: the eMSP was
told that nothing started and may have sent its driver elsewhere. What was charged until then is
a Session as any other.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from cpo_app.central.commands.command_steps import (
    INNER_STOP,
    TRY_NEXT,
    Ask,
    Body,
    Command,
    Decided,
    Elsewhere,
    Kind,
    body_of,
    timed_out,
)
from cpo_app.central.link.link import LinkAnswer, LinkResult
from crud.commands import plugged_in_by_another
from db_interface.transaction import Tx
from domain.commands.command_intake import result_body
from domain.commands.command_states import State
from domain.commands.command_targets import Place, place_of
from domain.commands.evse_choice import choose_for_start, none_free
from domain.errors import OcpiError
from domain.reservations import reservations
from domain.reservations.reservation_sessions import COMMAND
from domain.sessions import charging_sessions
from domain.sessions.charging_sessions import ConnectorBusy
from domain.visibility import Reader

NOT_STARTED = "the charge point did not start it"
TOO_LATE = "the charge point did not answer in time"


class Start(Kind):
    async def prepare(self, command: Command, now: datetime, tx: Tx) -> Ask | Decided | Elsewhere:
        content = command["content"]
        place = await place_of(self.store, content["evse_uid"], now, tx)
        if place is None or place.cp_id != command["cp_id"]:
            return Decided(result_body("EVSE_INOPERATIVE", "The EVSE is gone"))
        if place.held_against(content["token"]):
            refused = result_body("REJECTED", "The EVSE is reserved for another driver")
            return await self._next_or(refused, command, now, tx)
        reserved = place.reservation
        reference = content.get("authorization_reference")
        if reserved is not None and reference is None:
            reference = reserved.get("authorization_reference")
        try:
            connector = place.connector(content.get("connector_id"))
            session_id = await charging_sessions.open_session(
                self.store,
                charge_point=place.charge_point or {"_id": command["cp_id"]},
                location=place.location,
                evse=place.evse,
                connector=connector,
                token=content["token"],
                auth_method=COMMAND,
                authorization_reference=reference,
                source="remote",
                now=now,
                tx=tx,
                session_id=command["session_id"],
                command_id=command["_id"],
                reservation_id=None if reserved is None else reserved["_id"],
                peer_id=command["peer_id"],
                rules=self.context.rules,
            )
        except ConnectorBusy:
            return await self._next_or(result_body("EVSE_OCCUPIED"), command, now, tx)
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
            command["cp_id"],
            command["_id"],
            session_id=command["session_id"],
            id_tag=content["token"]["uid"],
            connector_id=content["connector_id"],
            reservation_id=content["reservation"],
            timeout_s=timeout_s,
        )

    async def conclude(
        self, command: Command, said: LinkAnswer, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        if said.accepted:
            await self._use_reservation(command, now, tx)
            return Decided(body_of(said))
        await charging_sessions.abandon(
            self.store, command["session_id"], NOT_STARTED, now, tx, self.context.rules
        )
        if said.result in TRY_NEXT:
            return await self._next_or(body_of(said), command, now, tx)
        return Decided(body_of(said))

    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        if command["state"] != State.SENT.value:
            return timed_out()
        if surely_unsent:
            await charging_sessions.abandon(
                self.store, command["session_id"], TOO_LATE, now, tx, self.context.rules
            )
            return timed_out()
        await self.owe(
            INNER_STOP,
            command["cp_id"],
            now,
            tx,
            session_id=command["session_id"],
            content={"reservation": command["content"].get("reservation")},
        )
        return timed_out()

    async def _next_or(
        self, refused: Body, command: Command, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        """Another EVSE of the location where any will do; else `refused`."""
        content = command["content"]
        if not content["any_evse"]:
            return Decided(refused)
        tried = [*content["tried"], command["cp_id"]]
        places = await self.places(command, now, tx)
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

    async def _use_reservation(self, command: Command, now: datetime, tx: Tx) -> None:
        key = command["content"]["reservation"]
        if key is not None:
            await reservations.use(
                self.store, self.context.party, key, command["session_id"], now, tx
            )


class Stop(Kind):
    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        return await self.context.link.stop(
            command["cp_id"], command["_id"], session_id=command["session_id"], timeout_s=timeout_s
        )

    async def conclude(
        self, command: Command, said: LinkAnswer, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        return Decided(body_of(said))

    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        return timed_out()


class InnerStop(Stop):
    """Ends what a start has left behind of which the eMSP was told that it timed out."""

    async def conclude(
        self, command: Command, said: LinkAnswer, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        key = command["content"].get("reservation")
        ran = said.accepted or said.result is LinkResult.SESSION_ENDED
        if ran and key is not None:
            # The charge point gave the reservation up when it started.
            await reservations.use(
                self.store, self.context.party, key, command["session_id"], now, tx
            )
        # One that has ended there is not given up: its telemetry is on the way.
        if said.result is LinkResult.UNKNOWN_SESSION:
            await charging_sessions.abandon(
                self.store, command["session_id"], TOO_LATE, now, tx, self.context.rules
            )
        return Decided(body_of(said))


class Unlock(Kind):
    async def prepare(self, command: Command, now: datetime, tx: Tx) -> Ask | Decided | Elsewhere:
        content = command["content"]
        place = await place_of(self.store, content["evse_uid"], now, tx)
        reader = Reader(tuple(content["parties"]))
        if place is None or await plugged_in_by_another(
            self.db, place, content["connector_id"], reader, tx
        ):
            return Decided(result_body("REJECTED"))
        return Ask()

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        return await self.context.link.unlock(
            command["cp_id"],
            command["_id"],
            connector_id=command["content"]["connector_id"],
            timeout_s=timeout_s,
        )

    async def conclude(
        self, command: Command, said: LinkAnswer, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        return Decided(body_of(said))

    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        return timed_out()
