"""SET_PROFILE, GET_PROFILE, CLEAR_PROFILE, SET_PREFERENCES, and INNER_PROFILE that puts back what
stands: a peer's profile, else the plan that serves the driver's preferences.

ChargingProfileResultType knows no TIMEOUT: a charge point that does not answer is REJECTED, and
what it may have done all the same is undone once it can be reached.
"""

from __future__ import annotations

import contextlib

from cpo_app.central.commands.command_steps import (
    INNER_PROFILE,
    Ask,
    Body,
    Decided,
    Elsewhere,
    Kind,
    cp_id_of,
    session_id_of,
)
from cpo_app.central.link.link import LinkAnswer, LinkRefused, LinkResult
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.commands.command_queue import Command
from domain.commands.command_states import State
from domain.schemas import (
    ActiveChargingProfileResult,
    ChargingProfileResult,
    ClearProfileResult,
    OcpiModel,
    validate,
)
from domain.sessions import charging_plans, charging_profiles, charging_sessions
from domain.sessions.charging_profiles import UPDATE_DURATION_S
from domain.sessions.session_document import ChargingSession

ACCEPTED, REJECTED, UNKNOWN = "ACCEPTED", "REJECTED", "UNKNOWN"

_NO_PROFILE = "NO_PROFILE"


class _OfProfile(Kind):
    async def _obeyed(
        self, command: Command, profile: JsonMapping | None, timeout_s: float
    ) -> LinkAnswer:
        """The charge point is to obey the profile; None: none at all."""
        cp_id, session_id = cp_id_of(command), session_id_of(command)
        link = self.context.link
        if profile is None:
            return await link.clear_limit(
                cp_id, command["_id"], session_id=session_id, timeout_s=timeout_s
            )
        return await link.set_limit(
            cp_id, command["_id"], session_id=session_id, limit=profile, timeout_s=timeout_s
        )


class _Change(_OfProfile):
    """A change of the profile: the other parties that have set one hear of it."""

    result_model: type[OcpiModel]

    def _result(self, result: str) -> Body:
        return validate(self.result_model, {"result": result})

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        if command["state"] == State.SENT.value and not surely_unsent:
            also: Command = {"session_id": command["session_id"]}
            await self.owe(tx, INNER_PROFILE, command, also)
        return self._result(REJECTED)

    async def _changed(self, tx: Tx, command: Command, active: JsonMapping | None) -> None:
        charging = await charging_sessions.get(tx, session_id_of(command))
        if charging is not None and active is not None:
            await charging_profiles.active_profile_changed(
                tx, charging, active, asked_by=command.get("peer_id")
            )

    async def _active(self, command: Command, timeout_s: float) -> JsonMapping | None:
        """The profile now in force, if anybody else wants to hear of it."""
        charging = await charging_sessions.get(self.db, session_id_of(command))
        peers = (charging or {}).get("profile_peers", {})
        if not any(peer_id != command.get("peer_id") for peer_id in peers):
            return None
        with contextlib.suppress(LinkRefused):
            return await self.context.link.active_profile(
                cp_id_of(command),
                session_id=session_id_of(command),
                duration_s=UPDATE_DURATION_S,
                timeout_s=timeout_s,
            )
        return None


class SetProfile(_Change):
    result_model = ChargingProfileResult

    async def ask(
        self, command: Command, timeout_s: float
    ) -> tuple[LinkAnswer, JsonMapping | None]:
        said = await self._obeyed(command, command["content"]["charging_profile"], timeout_s)
        return said, await self._active(command, timeout_s) if said.accepted else None

    async def conclude(
        self,
        tx: Tx,
        command: Command,
        said: tuple[LinkAnswer, JsonMapping | None],
    ) -> Decided | Elsewhere:
        answer, active = said
        if not answer.accepted:
            return Decided(self._result(REJECTED))
        await charging_profiles.keep(
            tx,
            session_id_of(command),
            command["delivery"],
            command["content"]["charging_profile"],
        )
        await charging_profiles.told_until(tx, session_id_of(command), answer.until)
        await self._changed(tx, command, active)
        return Decided(self._result(ACCEPTED))


class ClearProfile(_Change):
    """What a peer has set goes; a plan that stands behind it takes its place."""

    result_model = ClearProfileResult

    async def ask(
        self, command: Command, timeout_s: float
    ) -> tuple[LinkAnswer, JsonMapping | None]:
        charging = await charging_sessions.get(self.db, session_id_of(command))
        plan = (charging or {}).get("plan")
        if plan is not None and "profile" not in (charging or {}):
            return LinkAnswer(LinkResult.REJECTED, _NO_PROFILE), None
        profile = None if plan is None else plan["charging_profile"]
        said = await self._obeyed(command, profile, timeout_s)
        return said, await self._active(command, timeout_s) if said.accepted else None

    async def conclude(
        self,
        tx: Tx,
        command: Command,
        said: tuple[LinkAnswer, JsonMapping | None],
    ) -> Decided | Elsewhere:
        answer, active = said
        if answer.result is LinkResult.REJECTED and answer.message == _NO_PROFILE:
            await charging_profiles.forget(tx, session_id_of(command))
            return Decided(self._result(UNKNOWN))
        if not answer.accepted:
            return Decided(self._result(REJECTED))
        await charging_profiles.forget(tx, session_id_of(command))
        await charging_profiles.told_until(tx, session_id_of(command), answer.until)
        await charging_plans.look_again(tx, session_id_of(command), tx.now)
        await self._changed(tx, command, active)
        return Decided(self._result(ACCEPTED))


class SetPreferences(_Change):
    """A driver's preferences, or a plan made anew: kept once the charge point obeys the plan."""

    async def prepare(self, tx: Tx, command: Command) -> Ask | Decided | Elsewhere:
        charging = await charging_sessions.get(tx, session_id_of(command))
        if charging is None or not charging["running"] or "profile" in charging:
            return Decided({"result": REJECTED})
        return Ask()

    async def ask(
        self, command: Command, timeout_s: float
    ) -> tuple[LinkAnswer, JsonMapping | None]:
        plan = command["content"]["plan"]
        profile = None if plan is None else plan["charging_profile"]
        said = await self._obeyed(command, profile, timeout_s)
        if profile is None and said.result is LinkResult.REJECTED and said.message == _NO_PROFILE:
            said = LinkAnswer(LinkResult.ACCEPTED)
        return said, await self._active(command, timeout_s) if said.accepted else None

    async def conclude(
        self,
        tx: Tx,
        command: Command,
        said: tuple[LinkAnswer, JsonMapping | None],
    ) -> Decided | Elsewhere:
        answer, active = said
        if not answer.accepted:
            return Decided({"result": REJECTED})
        preferences, plan = command["content"]["preferences"], command["content"]["plan"]
        await charging_plans.keep(tx, session_id_of(command), preferences, plan)
        await charging_profiles.told_until(tx, session_id_of(command), answer.until)
        await self._changed(tx, command, active)
        return Decided({"result": ACCEPTED})

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        if command["state"] == State.SENT.value and not surely_unsent:
            also: Command = {"session_id": command["session_id"]}
            await self.owe(tx, INNER_PROFILE, command, also)
        return {"result": REJECTED}


class GetProfile(Kind):
    async def ask(self, command: Command, timeout_s: float) -> JsonMapping | LinkRefused | None:
        try:
            return await self.context.link.active_profile(
                cp_id_of(command),
                session_id=session_id_of(command),
                duration_s=command["content"]["duration_s"],
                timeout_s=timeout_s,
            )
        except LinkRefused as refused:
            return refused

    async def conclude(
        self, tx: Tx, command: Command, said: JsonMapping | LinkRefused | None
    ) -> Decided | Elsewhere:
        if isinstance(said, LinkRefused):
            return Decided(validate(ActiveChargingProfileResult, {"result": REJECTED}))
        if said is None:
            return Decided(validate(ActiveChargingProfileResult, {"result": UNKNOWN}))
        result = {"result": ACCEPTED, "profile": dict(said)}
        return Decided(validate(ActiveChargingProfileResult, result))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        return validate(ActiveChargingProfileResult, {"result": REJECTED})


class InnerProfile(_OfProfile):
    """The charge point is to obey the profile that stands on the session, or none."""

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer | None:
        charging = await charging_sessions.get(self.db, session_id_of(command))
        if charging is None or not charging["running"]:
            return None
        return await self._obeyed(command, _standing(charging), timeout_s)

    async def conclude(
        self, tx: Tx, command: Command, said: LinkAnswer | None
    ) -> Decided | Elsewhere:
        if said is not None and said.accepted:
            await charging_profiles.told_until(tx, session_id_of(command), said.until)
        return Decided({"result": ACCEPTED if said is None else said.result.value})

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        return {"result": REJECTED}


def _standing(charging: ChargingSession) -> JsonMapping | None:
    """What the charge point is to obey: a peer's profile outranks the plan."""
    if "profile" in charging:
        return charging["profile"]["charging_profile"]
    return charging["plan"]["charging_profile"] if "plan" in charging else None
