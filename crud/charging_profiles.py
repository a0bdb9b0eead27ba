"""ChargingProfiles (OCPI 2.2.1, mod_charging_profiles): what we answer at once, and take on.

Reads and decides; `command_intake` keeps the command, Central's worker carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from py_ocpi.core.enums import Action

from db_interface.json_data import JsonMapping, JsonObject
from domain.commands import command_queue as queue
from domain.commands.command_intake import (
    NOT_SUPPORTED,
    REJECTED,
    UNKNOWN_SESSION,
    AcceptedCommand,
    CommandRequest,
    Intake,
    Rejection,
)
from domain.commands.command_targets import place_of, running_session_of
from domain.schemas import ChargingProfileResponse, validate
from domain.versions import INNER_VERSION, ObjectKind, OcpiVersion
from domain.visibility import Reader

CAPABLE = "CHARGING_PROFILE_CAPABLE"
TOO_OFTEN = "TOO_OFTEN"

SET, GET, CLEAR = "SET_PROFILE", "GET_PROFILE", "CLEAR_PROFILE"
MAX_DURATION_S = 7 * 86400
_MINUTE = timedelta(minutes=1)

_KINDS = {
    Action.send_update_charging_profile: SET,
    Action.send_get_chargingprofile: GET,
    Action.send_delete_chargingprofile: CLEAR,
}


class ChargingProfiles:
    """`do` is the Crud contract's. `max_per_minute` requests a session (0: any number), then
    TOO_OFTEN."""

    def __init__(self, intake: Intake, *, max_per_minute: int = 0) -> None:
        self._intake = intake
        self._store = intake.store
        self._max_per_minute = max_per_minute

    async def do(
        self,
        action: Action,
        *,
        session_id: str,
        response_url: str,
        reader: Reader,
        peer_id: str,
        owners: Sequence[str] | None = None,
        correlation_id: str | None = None,
        duration: int | None = None,
        charging_profile: JsonMapping | None = None,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> JsonObject:
        """The ChargingProfileResponse as fields. Raises InvalidParameters."""
        content: JsonObject = {"session_id": session_id}
        if duration is not None:
            content["duration_s"] = min(duration, MAX_DURATION_S)
        if charging_profile is not None:
            content["charging_profile"] = charging_profile
        request = CommandRequest(
            kind=_KINDS[action],
            content=content,
            response_url=response_url,
            reader=reader,
            owners=owners,
            peer_id=peer_id,
            correlation_id=correlation_id,
            version=form.number,
        )
        answer = validate(ChargingProfileResponse, await self._intake.take(request, self._decide))
        return form.render(ObjectKind.CHARGING_PROFILE_RESPONSE, answer).object

    async def _decide(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        asked = request.content["session_id"]
        shown, inner = await running_session_of(self._store, asked, request.reader, request.owners)
        if shown is None:
            return Rejection(UNKNOWN_SESSION, "Unknown Session")
        if inner is None or not inner.get("running"):
            return Rejection(REJECTED, "The Session has ended")
        place = await place_of(self._store.db, shown["evse_uid"])
        if place is None or not place.can(CAPABLE):
            return Rejection(NOT_SUPPORTED, "No charging profiles here")
        if await self._too_often(inner["_id"]):
            return Rejection(TOO_OFTEN, "Too often")
        return AcceptedCommand(
            ours=shown,
            theirs=shown["cdr_token"],
            cp_id=inner["cp_id"],
            session_id=inner["_id"],
            content=request.content,
        )

    async def _too_often(self, session_id: str) -> bool:
        most = self._max_per_minute
        if not most:
            return False
        kinds = (SET, GET, CLEAR)
        return await queue.recent(self._store.db, session_id, kinds, _MINUTE, most) >= most
