"""ChargingProfiles (OCPI 2.2.1, mod_charging_profiles): asked for, kept, and told of.

The profile itself is obeyed by the charge point; what was accepted stands on the session:
    profile          {peer_id, charging_profile, set_at, delivery}, while one holds
    profile_peers    {peer_id: delivery} of everyone that has ever set one on it: they are told
                     of every change of the ActiveChargingProfile that they did not ask for
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from py_ocpi.core.enums import Action

from db_interface.database import Database
from db_interface.transaction import Tx
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
from domain.commands.command_targets import Place, place_of, running_session_of
from domain.schemas import format_datetime
from domain.visibility import Reader

SESSIONS = "charging_sessions"
CAPABLE = "CHARGING_PROFILE_CAPABLE"
TOO_OFTEN = "TOO_OFTEN"

SET, GET, CLEAR = "SET_PROFILE", "GET_PROFILE", "CLEAR_PROFILE"
UPDATE = "PROFILE_UPDATE"

MAX_DURATION_S = 7 * 86400
UPDATE_DURATION_S = 3600
"""Of the profiles that we send unasked: "between 5 and 60 minutes" (15.3.2.2)."""
UPDATE_WITHIN = timedelta(minutes=5)
"""An update that could not be delivered for longer tells nothing any more."""

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
        charging_profile: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """The ChargingProfileResponse as fields. Raises InvalidParameters."""
        content: dict[str, Any] = {"session_id": session_id}
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
            now=self._intake.clock(),
        )
        answer = await self._intake.take(request, self._decide)
        return {"result": answer["result"], "timeout": answer["timeout"]}

    async def _decide(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        asked = request.content["session_id"]
        shown, inner = await running_session_of(self._store, asked, request.reader, request.owners)
        if shown is None:
            return Rejection(UNKNOWN_SESSION, "Unknown Session")
        if inner is None or not inner.get("running"):
            return Rejection(REJECTED, "The Session has ended")
        place = await place_of(self._store, shown["evse_uid"], request.now)
        if place is None or not place.can(CAPABLE):
            return Rejection(NOT_SUPPORTED, "No charging profiles here")
        if await self._too_often(inner["_id"], request.now):
            return Rejection(TOO_OFTEN, "Too often")
        return AcceptedCommand(
            ours=shown,
            theirs=shown["cdr_token"],
            cp_id=inner["cp_id"],
            session_id=inner["_id"],
            content=request.content,
        )

    async def _too_often(self, session_id: str, now: datetime) -> bool:
        if not self._max_per_minute:
            return False
        recent = await self._store.db[queue.COLLECTION].count_documents(
            {
                "session_id": session_id,
                "created": {"$gt": now - timedelta(minutes=1)},
                "kind": {"$in": [SET, GET, CLEAR]},
            },
            limit=self._max_per_minute,
        )
        return recent >= self._max_per_minute


async def keep(
    db: Database,
    session_id: str,
    delivery: Mapping[str, Any],
    charging_profile: Mapping[str, Any],
    now: datetime,
    tx: Tx,
) -> None:
    """The charge point obeys this profile now, as the peer of `delivery` asked."""
    peer_id = delivery["peer_id"]
    told = _told(delivery)
    profile = {"peer_id": peer_id, "charging_profile": dict(charging_profile), "set_at": now}
    await db[SESSIONS].update_one(
        {"_id": session_id},
        {"$set": {"profile": profile, f"profile_peers.{peer_id}": told}},
        session=tx.mongo,
    )


async def forget(db: Database, session_id: str, tx: Tx) -> None:
    """The charge point obeys no profile any more."""
    await db[SESSIONS].update_one(
        {"_id": session_id}, {"$unset": {"profile": ""}}, session=tx.mongo
    )


async def active_profile_changed(
    db: Database,
    charging_session: Mapping[str, Any],
    active: Mapping[str, Any],
    now: datetime,
    tx: Tx,
    *,
    asked_by: str | None = None,
) -> int:
    """Let everyone know who has ever set a profile on the session, but whoever asked for the
    change: `active` is the ActiveChargingProfile now. Call inside a transaction.

    Returns how many updates are on their way (PUT {their chargingprofiles}/{session_id}).
    """
    peers = charging_session.get("profile_peers", {})
    concerned = [told for peer_id, told in peers.items() if peer_id != asked_by]
    for told in concerned:
        await queue.add(
            db,
            UPDATE,
            cp_id=None,
            now=now,
            deadline=now + UPDATE_WITHIN,
            tx=tx,
            result=active,
            session_id=charging_session["_id"],
            delivery={
                **told,
                "method": "PUT",
                "module": "chargingprofiles",
                "path": charging_session["_id"],
                "until": now + UPDATE_WITHIN,
            },
        )
    return len(concerned)


def unlimited(place: Place, connector_id: str, now: datetime) -> dict[str, Any]:
    """The ActiveChargingProfile where none is in force: "the maximum charging capacity of the
    EVSE" (15.3.2.2), from the connector's power in watts."""
    connector = place.connector(connector_id)
    phases = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_3_PHASE": 3}.get(connector["power_type"], 1)
    volts_amperes = connector["max_voltage"] * connector["max_amperage"] * phases
    watts = connector.get("max_electric_power") or volts_amperes
    return {
        "start_date_time": format_datetime(now),
        "charging_profile": {
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": watts}],
        },
    }


def _told(delivery: Mapping[str, Any]) -> dict[str, Any]:
    names = ("peer_id", "from_party", "to_party", "correlation_id")
    return {name: delivery[name] for name in names}
