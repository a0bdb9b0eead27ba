"""What becomes of a question to a station, in words that no version of OCPP has. Pure.

`result` is what EV_Central's link answers with; a test holds the two lists together.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from cpo_app.ocpp.box import CallRefused
from db_interface.json_data import JsonMapping, JsonObject


class Outcome(str, Enum):
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    OCCUPIED = "OCCUPIED"
    INOPERATIVE = "INOPERATIVE"
    FAULT = "FAULT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"
    UNLOCK_FAILED = "UNLOCK_FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"


Statuses = Mapping[str, Outcome]
"""A response's `status`, and what it means; what is not there is REJECTED."""

ACCEPTED_OR_NOT: Statuses = {"Accepted": Outcome.ACCEPTED}
STARTS_LATER: Statuses = {"Accepted": Outcome.ACCEPTED, "Scheduled": Outcome.ACCEPTED}
TRIGGERED: Statuses = {"Accepted": Outcome.ACCEPTED, "NotImplemented": Outcome.NOT_SUPPORTED}
RESERVED: Statuses = {
    "Accepted": Outcome.ACCEPTED,
    "Faulted": Outcome.FAULT,
    "Occupied": Outcome.OCCUPIED,
    "Unavailable": Outcome.INOPERATIVE,
}
LET_GO: Statuses = {"Accepted": Outcome.ACCEPTED, "Rejected": Outcome.UNKNOWN_RESERVATION}
UNLOCKED: Statuses = {
    "Unlocked": Outcome.ACCEPTED,
    "UnlockFailed": Outcome.UNLOCK_FAILED,
    "NotSupported": Outcome.NOT_SUPPORTED,
}
PROFILE_SET: Statuses = {"Accepted": Outcome.ACCEPTED, "NotSupported": Outcome.NOT_SUPPORTED}
LIST_TAKEN: Statuses = {"Accepted": Outcome.ACCEPTED, "NotSupported": Outcome.NOT_SUPPORTED}
FILE_SENT: Statuses = {"Accepted": Outcome.ACCEPTED, "AcceptedCanceled": Outcome.ACCEPTED}
"""AcceptedCanceled: it is accepted, and the one before is given up for it."""

NO_PROFILE = "NO_PROFILE"
MESSAGE_LENGTH = 256

_NOT_THERE = frozenset({"NotImplemented", "NotSupported"})


def outcome(result: Outcome, message: str | None = None, **also: object) -> JsonObject:
    said: JsonObject = {"result": result.value, **also}
    if message:
        said["message"] = message[:MESSAGE_LENGTH]
    return said


def of_status(said: JsonMapping, statuses: Statuses, **also: object) -> JsonObject:
    """What a response's status means; its own words where it is a refusal."""
    status = said.get("status")
    result = statuses.get(str(status), Outcome.REJECTED)
    why = None if result is Outcome.ACCEPTED else _why(said)
    return outcome(result, why, said=status, **also)


def refused(error: CallRefused) -> JsonObject:
    """A CALLERROR is an answer: it says that nothing was done."""
    result = Outcome.NOT_SUPPORTED if error.code in _NOT_THERE else Outcome.REJECTED
    return outcome(result, str(error), said=error.code)


def _why(said: JsonMapping) -> str | None:
    info = said.get("statusInfo")
    if not isinstance(info, dict):
        return None
    words = (info.get("reasonCode"), info.get("additionalInfo"))
    return ": ".join(str(word) for word in words if word) or None
