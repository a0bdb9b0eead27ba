"""Sessions (OCPI 2.2.1, mod_sessions): read by the parties that may see them; preferences taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from crud.sender_module import SenderModule
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.commands.command_targets import place_of
from domain.objects import OcpiObject
from domain.sessions import charging_plans
from domain.sessions.charging_preferences import ACCEPTED, NOT_POSSIBLE, decide
from domain.sessions.session_records import get
from domain.visibility import Reader

OBEYED_WITHIN_S = 8.0
"""So long a charge point may take to obey a plan: whoever has asked waits for it."""
_LOOK_S = 0.05
_GRACE_S = 2.0
"""Past its deadline a command is decided, as soon as a worker looks."""


class Sessions(SenderModule):
    """`wake` tells the worker for commands of this process that there is one."""

    module = "sessions"

    def __init__(
        self,
        store: DbInterface,
        wake: Callable[[], None] | None = None,
        *,
        obeyed_within_s: float = OBEYED_WITHIN_S,
    ) -> None:
        super().__init__(store)
        self._wake = wake
        self._obeyed_within_s = obeyed_within_s

    async def update(
        self,
        data: OcpiObject,
        session_id: str,
        *,
        reader: Reader | None = None,
        owners: Sequence[str] | None = None,
        **_: object,
    ) -> str | None:
        """Take the driver's charging preferences (a valid ChargingPreferences).

        Returns a ChargingPreferencesResponse; None where the reader sees no such session. Raises
        PreferencesNotSupported. Accepted ones hold from the next meter value on: the tariff of
        their profile_type comes into force, and what they make of the charging is obeyed.
        """
        found = await self.get(session_id, reader=reader, owners=owners)
        if found is None:
            return None
        own_id = found.plain()["id"]

        async def work(tx: Tx) -> tuple[str, str] | None:
            """(response, the command that it depends on)."""
            document = await get(tx, own_id)
            if document is None:
                return None
            place = await place_of(tx, document["evse_uid"])
            mix = ({} if place is None else place.location).get("energy_mix") or {}
            decision = decide(data, document, tx.now, green=mix.get("is_green_energy") is True)
            if decision.asks:
                within = timedelta(seconds=self._obeyed_within_s)
                asked = await charging_plans.ask_for(tx, document, data, decision.plan, within)
                return decision.response, asked["_id"]
            if decision.response == ACCEPTED:
                await charging_plans.prefer(tx, own_id, data)
            return decision.response, ""

        decided = await self.store.transact(work)
        if decided is None:
            return None
        response, command_id = decided
        if command_id and not await self._is_obeyed(command_id):
            return NOT_POSSIBLE
        return response

    async def _is_obeyed(self, command_id: str) -> bool:
        """Whether the charge point does what the command asks of it, by its deadline."""
        if self._wake is not None:
            self._wake()
        loop = asyncio.get_running_loop()
        given_up_at = loop.time() + self._obeyed_within_s + _GRACE_S
        while loop.time() < given_up_at:
            command = await command_queue.get(self.store.db, command_id)
            if command is None:
                return False
            if "result" in command:
                return bool(command["result"]["result"] == ACCEPTED)
            await asyncio.sleep(_LOOK_S)
        return False
