"""What the simulated charge point needs of a version of OCPP, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

from cpo_app.charge_point.journal import Message
from cpo_app.charge_point.ocpp.station import Place
from db_interface.json_data import JsonObject

Call = tuple[str, JsonObject]
"""Action and payload."""


class Wanted(str, Enum):
    """What the central system has asked for that takes longer than its answer."""

    BOOT = "BOOT"
    HEARTBEAT = "HEARTBEAT"
    STATUS = "STATUS"
    METER = "METER"
    DIAGNOSTICS_STATUS = "DIAGNOSTICS_STATUS"
    FIRMWARE_STATUS = "FIRMWARE_STATUS"
    REPORT = "REPORT"
    UPLOAD = "UPLOAD"
    UPDATE = "UPDATE"
    RESET = "RESET"
    RECONNECT = "RECONNECT"


@dataclass(frozen=True)
class Errand:
    """`evse` 0: all of them. `url` and `request_id` of a file; `extended`: in the words of 1.6's
    security extension."""

    wanted: Wanted
    evse: int = 0
    url: str = ""
    request_id: int | None = None
    extended: bool = False


@dataclass(frozen=True)
class Decision:
    """Of the central system on a card."""

    status: str
    group: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status == "Accepted"


class Dialect(Protocol):
    """One for each station: `asked` carries out what can be done at once and notes errands."""

    subprotocol: ClassVar[str]
    errands: list[Errand]

    def boot(self, reason: str) -> Call: ...

    def statuses(self, evse: int) -> list[Call]:
        """Of this EVSE, or (0) of all."""

    def authorize(self, uid: str) -> Call: ...

    def decision(self, answer: JsonObject) -> Decision | None:
        """Out of any answer that may hold one."""

    def said(self, message: Message, *, offline: bool) -> list[Call]:
        """A message of the journal; the same each time it is asked, until `heard`. `offline`: it
        is older than the connection."""

    def heard(self, message: Message, answer: JsonObject, *, offline: bool) -> None:
        """The last of its calls was answered."""

    def meter(self, place: Place) -> Call:
        """A reading that was asked for."""

    def asked(self, action: str, payload: JsonObject) -> JsonObject:
        """Raises wire.NotDone; KeyError, TypeError or ValueError for a payload that is none."""

    def file_status(self, errand: Errand, status: str) -> Call:
        """How an upload or an update gets on, in 1.6's words of FirmwareStatus and
        DiagnosticsStatus."""

    def report(self, errand: Errand) -> list[Call]:
        """What GetBaseReport asked for."""
