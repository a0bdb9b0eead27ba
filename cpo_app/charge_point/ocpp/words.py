"""The engine's words in OCPP's, where it is a table."""

from __future__ import annotations

from cpo_app.charge_point.evse import Result
from cpo_app.charge_point.states import State
from db_interface.json_data import JsonObject

_STATUS_16 = {
    State.AVAILABLE: "Available",
    State.PREPARING: "Preparing",
    State.CHARGING: "Charging",
    State.FINISHING: "Finishing",
    State.RESERVED: "Reserved",
    State.FAULTED: "Faulted",
    State.INOPERATIVE: "Unavailable",
}
_STATUS_201 = {
    State.RESERVED: "Reserved",
    State.FAULTED: "Faulted",
    State.INOPERATIVE: "Unavailable",
}
_ERRORS_16 = {
    "CONNECTOR_LOCK_FAILURE": "ConnectorLockFailure",
    "EV_COMMUNICATION_ERROR": "EVCommunicationError",
    "GROUND_FAILURE": "GroundFailure",
    "HIGH_TEMPERATURE": "HighTemperature",
    "INTERNAL_ERROR": "InternalError",
    "OVER_CURRENT_FAILURE": "OverCurrentFailure",
    "OVER_VOLTAGE": "OverVoltage",
    "POWER_METER_FAILURE": "PowerMeterFailure",
    "POWER_SWITCH_FAILURE": "PowerSwitchFailure",
    "READER_FAILURE": "ReaderFailure",
    "RESET_FAILURE": "ResetFailure",
    "UNDER_VOLTAGE": "UnderVoltage",
    "WEAK_SIGNAL": "WeakSignal",
}

STOPPED_16 = {
    "remote": "Remote",
    "local": "Local",
    "unplugged": "EVDisconnected",
    "deauthorized": "DeAuthorized",
    "hard_reset": "HardReset",
    "soft_reset": "SoftReset",
    "unlock": "UnlockCommand",
}
STOPPED_201 = {
    "remote": "Remote",
    "local": "Local",
    "unplugged": "EVDisconnected",
    "deauthorized": "DeAuthorized",
    "hard_reset": "ImmediateReset",
    "soft_reset": "Reboot",
    "full": "SOCLimitReached",
    "timeout": "Timeout",
}
"""stoppedReason; what is not in it is Other."""
STOP_TRIGGERS_201 = {
    "remote": "RemoteStop",
    "local": "StopAuthorized",
    "unplugged": "EVDeparted",
    "deauthorized": "Deauthorized",
    "hard_reset": "ResetCommand",
    "soft_reset": "ResetCommand",
    "full": "EnergyLimitReached",
    "timeout": "EVConnectTimeout",
    "fault": "AbnormalCondition",
}
UNLOCKED = {Result.ACCEPTED: "Unlocked", Result.UNLOCK_FAILED: "UnlockFailed"}
RESERVED = {
    Result.ACCEPTED: "Accepted",
    Result.FAULT: "Faulted",
    Result.INOPERATIVE: "Unavailable",
    Result.OCCUPIED: "Occupied",
    Result.RESERVED: "Occupied",
}
AVAILABILITY = {"Operative": True, "Inoperative": False}


def status_16(state: str, *, full: bool) -> str:
    if state == State.SUSPENDED:
        return "SuspendedEV" if full else "SuspendedEVSE"
    return _STATUS_16[State(state)]


def status_201(state: str, ev_state: str) -> str:
    plugged = "Occupied" if ev_state == "plugged" else "Available"
    return _STATUS_201.get(State(state), plugged)


def charging_state_201(state: str, ev_state: str, *, full: bool) -> str:
    if state == State.CHARGING:
        return "Charging"
    if state == State.SUSPENDED:
        return "SuspendedEV" if full else "SuspendedEVSE"
    return "EVConnected" if ev_state == "plugged" else "Idle"


def error_code_16(code: str) -> tuple[str, str | None]:
    """errorCode, and what it is called here where OCPP has no word."""
    known = _ERRORS_16.get(code)
    return (known, None) if known else ("OtherError", code[:50])


def token_of(token: JsonObject | None) -> str | None:
    """The text of a 2.0.1 IdToken."""
    return None if token is None else str(token["idToken"])
