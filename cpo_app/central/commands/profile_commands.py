"""SET_PROFILE, GET_PROFILE, CLEAR_PROFILE, and INNER_PROFILE that puts back what stands.

ChargingProfileResultType knows no TIMEOUT: a charge point that does not answer is REJECTED, and
what it may have done all the same is undone once it can be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cpo_app.central.commands.command_steps import (
    INNER_PROFILE,
    Body,
    Command,
    Decided,
    Elsewhere,
    Kind,
)
from cpo_app.central.link.link import LinkAnswer, LinkResult
from crud import charging_profiles
from crud.charging_profiles import UPDATE_DURATION_S
from db_interface.transaction import Tx
from domain.commands.command_states import State
from domain.sessions import charging_sessions

ACCEPTED, REJECTED, UNKNOWN = "ACCEPTED", "REJECTED", "UNKNOWN"

_NO_PROFILE = "NO_PROFILE"


class _Change(Kind):
    """A change of the profile: the other parties that have set one hear of it."""

    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        if command["state"] == State.SENT.value and not surely_unsent:
            await self.owe(
                INNER_PROFILE, command["cp_id"], now, tx, session_id=command["session_id"]
            )
        return {"result": REJECTED}

    async def _changed(
        self, command: Command, active: Mapping[str, Any] | None, now: datetime, tx: Tx
    ) -> None:
        charging = await charging_sessions.get(self.db, command["session_id"], tx)
        if charging is not None and active is not None:
            await charging_profiles.active_profile_changed(
                self.db, charging, active, now, tx, asked_by=command["peer_id"]
            )

    async def _active(self, command: Command, timeout_s: float) -> Mapping[str, Any] | None:
        """The profile now in force, if anybody else wants to hear of it."""
        charging = await charging_sessions.get(self.db, command["session_id"])
        peers = (charging or {}).get("profile_peers", {})
        if not any(peer_id != command["peer_id"] for peer_id in peers):
            return None
        return await self.context.link.active_profile(
            command["cp_id"],
            session_id=command["session_id"],
            duration_s=UPDATE_DURATION_S,
            timeout_s=timeout_s,
        )


class SetProfile(_Change):
    async def ask(
        self, command: Command, timeout_s: float
    ) -> tuple[LinkAnswer, Mapping[str, Any] | None]:
        said = await self.context.link.set_limit(
            command["cp_id"],
            command["_id"],
            session_id=command["session_id"],
            limit=command["content"]["charging_profile"],
            timeout_s=timeout_s,
        )
        return said, await self._active(command, timeout_s) if said.accepted else None

    async def conclude(
        self,
        command: Command,
        said: tuple[LinkAnswer, Mapping[str, Any] | None],
        now: datetime,
        tx: Tx,
    ) -> Decided | Elsewhere:
        answer, active = said
        if not answer.accepted:
            return Decided({"result": REJECTED})
        await charging_profiles.keep(
            self.db,
            command["session_id"],
            command["delivery"],
            command["content"]["charging_profile"],
            now,
            tx,
        )
        await self._changed(command, active, now, tx)
        return Decided({"result": ACCEPTED})


class ClearProfile(_Change):
    async def ask(
        self, command: Command, timeout_s: float
    ) -> tuple[LinkAnswer, Mapping[str, Any] | None]:
        said = await self.context.link.clear_limit(
            command["cp_id"],
            command["_id"],
            session_id=command["session_id"],
            timeout_s=timeout_s,
        )
        return said, await self._active(command, timeout_s) if said.accepted else None

    async def conclude(
        self,
        command: Command,
        said: tuple[LinkAnswer, Mapping[str, Any] | None],
        now: datetime,
        tx: Tx,
    ) -> Decided | Elsewhere:
        answer, active = said
        if answer.result is LinkResult.REJECTED and answer.message == _NO_PROFILE:
            await charging_profiles.forget(self.db, command["session_id"], tx)
            return Decided({"result": UNKNOWN})
        if not answer.accepted:
            return Decided({"result": REJECTED})
        await charging_profiles.forget(self.db, command["session_id"], tx)
        await self._changed(command, active, now, tx)
        return Decided({"result": ACCEPTED})


class GetProfile(Kind):
    async def ask(self, command: Command, timeout_s: float) -> Mapping[str, Any] | None:
        return await self.context.link.active_profile(
            command["cp_id"],
            session_id=command["session_id"],
            duration_s=command["content"]["duration_s"],
            timeout_s=timeout_s,
        )

    async def conclude(
        self, command: Command, said: Mapping[str, Any] | None, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        if said is None:
            return Decided({"result": UNKNOWN})
        return Decided({"result": ACCEPTED, "profile": dict(said)})

    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        return {"result": REJECTED}


class InnerProfile(Kind):
    """The charge point is to obey the profile that stands on the session, or none."""

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer | None:
        charging = await charging_sessions.get(self.db, command["session_id"])
        if charging is None or not charging["running"]:
            return None
        names = {"session_id": command["session_id"], "timeout_s": timeout_s}
        if profile := charging.get("profile"):
            return await self.context.link.set_limit(
                command["cp_id"], command["_id"], limit=profile["charging_profile"], **names
            )
        return await self.context.link.clear_limit(command["cp_id"], command["_id"], **names)

    async def conclude(
        self, command: Command, said: LinkAnswer | None, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        return Decided({"result": ACCEPTED if said is None else said.result.value})

    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        return {"result": REJECTED}
