"""The narrow link between Central and a charge point: what can be asked of it, and its answers.

Abstract: nothing above knows which kind of link a charge point has (HTTP to EV_CP_E, OCPP).
A link decides nothing; it carries a question and brings back what was said.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

from db_interface.json_data import JsonMapping
from domain.times import format_datetime

CommandKind = Literal[
    "start",
    "stop",
    "unlock",
    "reserve",
    "cancel_reservation",
    "set_limit",
    "clear_limit",
    "set_operative",
    "get_status",
]


class LinkResult(str, Enum):
    """What a charge point makes of a command. UNKNOWN_SESSION: it never heard of the session (or
    cannot tell); SESSION_ENDED: it ran there, and is over."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    OCCUPIED = "OCCUPIED"
    INOPERATIVE = "INOPERATIVE"
    RESERVED = "RESERVED"
    FAULT = "FAULT"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"
    SESSION_ENDED = "SESSION_ENDED"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"
    UNLOCK_FAILED = "UNLOCK_FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"


@dataclass(frozen=True)
class SessionEnd:
    """How a session ended at its charge point: its own word, ahead of its telemetry, which is
    complete once `seq` of `boot_id` is acknowledged. `at` by the charge point's clock."""

    energy_wh: float
    at: datetime
    reason: str
    boot_id: str
    seq: int


@dataclass(frozen=True)
class LinkAnswer:
    """`status` is the connector's state as telemetry's "state" message has it, where given;
    `ended`: of the session that was to be stopped, where the charge point tells it. `until`: it
    knows the limit that was set up to then alone, and is to be told the rest before."""

    result: LinkResult
    message: str | None = None
    status: JsonMapping = field(default_factory=dict)
    ended: SessionEnd | None = None
    until: datetime | None = None

    @property
    def accepted(self) -> bool:
        return self.result is LinkResult.ACCEPTED


class LinkUnreachable(Exception):
    """No usable answer came.

    `sent` False: the charge point surely did not get it, or refused to listen. None: it may
    have got it (the answer is late or was lost): ask again with the same command_id. True: it
    answered, but not in a way that says what it did.
    """

    def __init__(self, reason: str, *, sent: bool | None) -> None:
        super().__init__(reason)
        self.sent = sent


class LinkRefused(Exception):
    """It answered that it will not tell; asking again changes nothing."""


@dataclass(frozen=True)
class LinkCommand:
    """What a charge point is to do. `command_id` names it: sent again, it is carried out once and
    answered alike. `fields` are JSON, None where nothing is said. `timeout_s` None: the link's own.
    """

    cp_id: str
    command_id: str
    kind: CommandKind
    fields: JsonMapping
    timeout_s: float | None


class ChargePointLink(ABC):
    """Every method raises LinkUnreachable where no usable answer came within `timeout_s`."""

    @abstractmethod
    async def carry_out(self, command: LinkCommand) -> LinkAnswer:
        """Bring the command to the charge point, and its answer back."""

    @abstractmethod
    async def active_profile(
        self, cp_id: str, *, session_id: str, duration_s: int, timeout_s: float | None = None
    ) -> JsonMapping | None:
        """The OCPI ActiveChargingProfile for the next `duration_s`; None: no such session.

        Raises LinkRefused.
        """

    async def knows(self, cp_id: str) -> bool:
        """Whether it is known where it can be reached."""
        return True

    async def start_up(self) -> None:  # noqa: B027 (most kinds have nothing to do)
        """Called once before use."""

    async def close(self) -> None:  # noqa: B027
        """Called once after use."""

    async def start(
        self,
        cp_id: str,
        command_id: str,
        *,
        session_id: str,
        id_tag: str,
        connector_id: str | None = None,
        reservation_id: str | None = None,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        """Let `id_tag` charge; the session bears `session_id`."""
        fields = {
            "session_id": session_id,
            "id_tag": id_tag,
            "connector_id": connector_id,
            "reservation_id": reservation_id,
        }
        return await self.carry_out(LinkCommand(cp_id, command_id, "start", fields, timeout_s))

    async def stop(
        self, cp_id: str, command_id: str, *, session_id: str, timeout_s: float | None = None
    ) -> LinkAnswer:
        """End the session."""
        fields = {"session_id": session_id}
        return await self.carry_out(LinkCommand(cp_id, command_id, "stop", fields, timeout_s))

    async def unlock(
        self,
        cp_id: str,
        command_id: str,
        *,
        connector_id: str | None = None,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        """Release the plug."""
        fields = {"connector_id": connector_id}
        return await self.carry_out(LinkCommand(cp_id, command_id, "unlock", fields, timeout_s))

    async def reserve(
        self,
        cp_id: str,
        command_id: str,
        *,
        reservation_id: str,
        id_tag: str,
        expiry: datetime,
        connector_id: str | None = None,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        """Hold the EVSE for `id_tag` until `expiry` (aware); the same id again replaces it."""
        fields = {
            "reservation_id": reservation_id,
            "id_tag": id_tag,
            "expiry": format_datetime(expiry),
            "connector_id": connector_id,
        }
        return await self.carry_out(LinkCommand(cp_id, command_id, "reserve", fields, timeout_s))

    async def cancel_reservation(
        self, cp_id: str, command_id: str, *, reservation_id: str, timeout_s: float | None = None
    ) -> LinkAnswer:
        """Let the reservation go."""
        fields = {"reservation_id": reservation_id}
        return await self.carry_out(
            LinkCommand(cp_id, command_id, "cancel_reservation", fields, timeout_s)
        )

    async def set_limit(
        self,
        cp_id: str,
        command_id: str,
        *,
        session_id: str,
        limit: JsonMapping,
        timeout_s: float | None = None,
    ) -> LinkAnswer:
        """Obey an OCPI ChargingProfile (mod_charging_profiles) while the session runs."""
        fields = {"session_id": session_id, "limit": limit}
        return await self.carry_out(LinkCommand(cp_id, command_id, "set_limit", fields, timeout_s))

    async def clear_limit(
        self, cp_id: str, command_id: str, *, session_id: str, timeout_s: float | None = None
    ) -> LinkAnswer:
        """Forget the session's ChargingProfile. REJECTED with message NO_PROFILE: it had none."""
        fields = {"session_id": session_id}
        return await self.carry_out(
            LinkCommand(cp_id, command_id, "clear_limit", fields, timeout_s)
        )

    async def set_operative(
        self, cp_id: str, command_id: str, *, operative: bool, timeout_s: float | None = None
    ) -> LinkAnswer:
        """Out of service (a running session ends first), or back."""
        fields = {"operative": operative}
        return await self.carry_out(
            LinkCommand(cp_id, command_id, "set_operative", fields, timeout_s)
        )

    async def get_status(
        self, cp_id: str, command_id: str, *, timeout_s: float | None = None
    ) -> LinkAnswer:
        """The state now, in the answer's `status`."""
        return await self.carry_out(LinkCommand(cp_id, command_id, "get_status", {}, timeout_s))
