"""What can be read and set: OCPP 1.6's configuration keys and 2.0.1's variables, one table.

A value is kept as text, as both versions send it. What is in the table is what the simulated
charge point goes by; what it does not have, it does not claim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Set(str, Enum):
    DONE = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Variable:
    """`key`: its name in 1.6; `component` and `name`: in 2.0.1. Empty: it is not there."""

    key: str
    component: str
    name: str
    default: str
    kind: str = "string"
    writable: bool = False
    readable: bool = True

    def takes(self, value: str) -> bool:
        if self.kind == "integer":
            return value.isascii() and value.isdigit() and len(value) < 10
        if self.kind == "boolean":
            return value.lower() in ("true", "false")
        return len(value) <= 500


_TABLE = (
    ("HeartbeatInterval", "OCPPCommCtrlr", "HeartbeatInterval", "60", "integer"),
    ("MeterValueSampleInterval", "SampledDataCtrlr", "TxUpdatedInterval", "60", "integer"),
    ("ConnectionTimeOut", "TxCtrlr", "EVConnectionTimeOut", "60", "integer"),
    ("LocalAuthListEnabled", "LocalAuthListCtrlr", "Enabled", "true", "boolean"),
    ("LocalAuthorizeOffline", "AuthCtrlr", "LocalAuthorizeOffline", "true", "boolean"),
    ("AllowOfflineTxForUnknownId", "AuthCtrlr", "OfflineTxForUnknownIdEnabled", "false", "boolean"),
    ("StopTransactionOnInvalidId", "TxCtrlr", "StopTxOnInvalidId", "true", "boolean"),
    (
        "TransactionMessageAttempts",
        "OCPPCommCtrlr",
        "MessageAttempts",
        "5",
        "integer",
    ),
    (
        "TransactionMessageRetryInterval",
        "OCPPCommCtrlr",
        "MessageAttemptInterval",
        "10",
        "integer",
    ),
    ("CpoName", "SecurityCtrlr", "OrganizationName", "", "string"),
)
_READ_ONLY = (
    (
        "SupportedFeatureProfiles",
        "",
        "",
        "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
        "string",
    ),
    ("ChargingScheduleAllowedChargingRateUnit", "", "", "Current,Power", "string"),
    ("", "SmartChargingCtrlr", "RateUnit", "A,W", "string"),
    ("ChargeProfileMaxStackLevel", "SmartChargingCtrlr", "ProfileStackLevel", "10", "integer"),
    ("ChargingScheduleMaxPeriods", "SmartChargingCtrlr", "PeriodsPerSchedule", "100", "integer"),
    ("MaxChargingProfilesInstalled", "SmartChargingCtrlr", "Entries", "30", "integer"),
    ("LocalAuthListMaxLength", "LocalAuthListCtrlr", "Entries", "1000", "integer"),
    ("SendLocalListMaxLength", "LocalAuthListCtrlr", "ItemsPerMessage", "500", "integer"),
    (
        "MeterValuesSampledData",
        "SampledDataCtrlr",
        "TxUpdatedMeasurands",
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC",
        "string",
    ),
)

VARIABLES: tuple[Variable, ...] = (
    *(Variable(*row, writable=True) for row in _TABLE),
    Variable(
        "AuthorizationKey",
        "SecurityCtrlr",
        "BasicAuthPassword",
        "",
        writable=True,
        readable=False,
    ),
    *(Variable(*row) for row in _READ_ONLY),
)


@dataclass
class Configuration:
    """By the first of its names that a variable has."""

    values: dict[str, str] = field(default_factory=dict)
    """Only what was set; a secret is never kept here."""

    def get(self, variable: Variable) -> str:
        return self.values.get(_id(variable), variable.default)

    def text(self, key: str) -> str:
        """Of a 1.6 key that is in the table."""
        return self.get(_BY_KEY[key])

    def number(self, key: str) -> int:
        return int(self.text(key))

    def flag(self, key: str) -> bool:
        return self.text(key).lower() == "true"

    def put(self, variable: Variable | None, value: str) -> Set:
        if variable is None:
            return Set.UNKNOWN
        if not variable.writable or not variable.takes(value):
            return Set.REJECTED
        if variable.readable:
            self.values[_id(variable)] = value
        return Set.DONE


def _id(variable: Variable) -> str:
    return variable.key or f"{variable.component}.{variable.name}"


_BY_KEY = {variable.key: variable for variable in VARIABLES if variable.key}
_BY_NAME = {(one.component.lower(), one.name.lower()): one for one in VARIABLES if one.name}


def of_key(key: str) -> Variable | None:
    return _BY_KEY.get(key)


def of_name(component: str, name: str) -> Variable | None:
    return _BY_NAME.get((component.lower(), name.lower()))
