"""The enums of OCPI 2.2.1 with the values of its tables, in their order; a Location's beside.

Our own, though the library has them: importing one of its modules loads all of it, with FastAPI,
and most of our processes serve no OCPI. tests/domain/schemas/test_enums.py compares the two.
"""

from __future__ import annotations

from enum import Enum, auto


class OcpiEnum(str, Enum):
    """A member is its text; `auto()` is a text that is written like its name."""

    @staticmethod
    def _generate_next_value_(name: str, _start: int, _count: int, _last_values: list[str]) -> str:
        return name


class Role(OcpiEnum):
    CPO = auto()
    EMSP = auto()
    HUB = auto()
    NAP = auto()
    NSP = auto()
    OTHER = auto()
    SCSP = auto()


class AuthMethod(OcpiEnum):
    AUTH_REQUEST = auto()
    COMMAND = auto()
    WHITELIST = auto()


class CdrDimensionType(OcpiEnum):
    CURRENT = auto()
    ENERGY = auto()
    ENERGY_EXPORT = auto()
    ENERGY_IMPORT = auto()
    MAX_CURRENT = auto()
    MIN_CURRENT = auto()
    MAX_POWER = auto()
    MIN_POWER = auto()
    PARKING_TIME = auto()
    POWER = auto()
    RESERVATION_TIME = auto()
    STATE_OF_CHARGE = auto()
    TIME = auto()


class ChargingPreferencesResponse(OcpiEnum):
    ACCEPTED = auto()
    DEPARTURE_REQUIRED = auto()
    ENERGY_NEED_REQUIRED = auto()
    NOT_POSSIBLE = auto()
    PROFILE_TYPE_NOT_SUPPORTED = auto()


class ProfileType(OcpiEnum):
    CHEAP = auto()
    FAST = auto()
    GREEN = auto()
    REGULAR = auto()


class SessionStatus(OcpiEnum):
    ACTIVE = auto()
    COMPLETED = auto()
    INVALID = auto()
    PENDING = auto()
    RESERVATION = auto()


class DayOfWeek(OcpiEnum):
    MONDAY = auto()
    TUESDAY = auto()
    WEDNESDAY = auto()
    THURSDAY = auto()
    FRIDAY = auto()
    SATURDAY = auto()
    SUNDAY = auto()


class ReservationRestrictionType(OcpiEnum):
    RESERVATION = auto()
    RESERVATION_EXPIRES = auto()


class TariffDimensionType(OcpiEnum):
    ENERGY = auto()
    FLAT = auto()
    PARKING_TIME = auto()
    TIME = auto()


class TariffType(OcpiEnum):
    AD_HOC_PAYMENT = auto()
    PROFILE_CHEAP = auto()
    PROFILE_FAST = auto()
    PROFILE_GREEN = auto()
    REGULAR = auto()


class AllowedType(OcpiEnum):
    ALLOWED = auto()
    BLOCKED = auto()
    EXPIRED = auto()
    NO_CREDIT = auto()
    NOT_ALLOWED = auto()


class TokenType(OcpiEnum):
    AD_HOC_USER = auto()
    APP_USER = auto()
    OTHER = auto()
    RFID = auto()


class WhitelistType(OcpiEnum):
    ALWAYS = auto()
    ALLOWED = auto()
    ALLOWED_OFFLINE = auto()
    NEVER = auto()


class CommandResponseType(OcpiEnum):
    NOT_SUPPORTED = auto()
    REJECTED = auto()
    ACCEPTED = auto()
    UNKNOWN_SESSION = auto()


class CommandResultType(OcpiEnum):
    ACCEPTED = auto()
    CANCELED_RESERVATION = auto()
    EVSE_OCCUPIED = auto()
    EVSE_INOPERATIVE = auto()
    FAILED = auto()
    NOT_SUPPORTED = auto()
    REJECTED = auto()
    TIMEOUT = auto()
    UNKNOWN_RESERVATION = auto()


class CommandType(OcpiEnum):
    CANCEL_RESERVATION = auto()
    RESERVE_NOW = auto()
    START_SESSION = auto()
    STOP_SESSION = auto()
    UNLOCK_CONNECTOR = auto()


class ChargingProfileResponseType(OcpiEnum):
    ACCEPTED = auto()
    NOT_SUPPORTED = auto()
    REJECTED = auto()
    TOO_OFTEN = auto()
    UNKNOWN_SESSION = auto()


class ChargingProfileResultType(OcpiEnum):
    ACCEPTED = auto()
    REJECTED = auto()
    UNKNOWN = auto()


class ChargingRateUnit(OcpiEnum):
    W = auto()
    A = auto()


class ConnectionStatus(OcpiEnum):
    CONNECTED = auto()
    OFFLINE = auto()
    PLANNED = auto()
    SUSPENDED = auto()


class InterfaceRole(OcpiEnum):
    SENDER = auto()
    RECEIVER = auto()


class VersionNumber(OcpiEnum):
    V2_0 = "2.0"
    V2_1 = "2.1"
    V2_1_1 = "2.1.1"
    V2_2 = "2.2"
    V2_2_1 = "2.2.1"
