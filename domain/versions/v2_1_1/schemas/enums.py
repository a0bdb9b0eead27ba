"""The enums of OCPI 2.1.1 that differ from 2.2.1's, in its tables' order."""

from __future__ import annotations

from enum import auto

from domain.schemas.enums import OcpiEnum


class Capability(OcpiEnum):
    CHARGING_PROFILE_CAPABLE = auto()
    CREDIT_CARD_PAYABLE = auto()
    REMOTE_START_STOP_CAPABLE = auto()
    RESERVABLE = auto()
    RFID_READER = auto()
    UNLOCK_CAPABLE = auto()


class ConnectorType(OcpiEnum):
    CHADEMO = auto()
    DOMESTIC_A = auto()
    DOMESTIC_B = auto()
    DOMESTIC_C = auto()
    DOMESTIC_D = auto()
    DOMESTIC_E = auto()
    DOMESTIC_F = auto()
    DOMESTIC_G = auto()
    DOMESTIC_H = auto()
    DOMESTIC_I = auto()
    DOMESTIC_J = auto()
    DOMESTIC_K = auto()
    DOMESTIC_L = auto()
    IEC_60309_2_single_16 = auto()
    IEC_60309_2_three_16 = auto()
    IEC_60309_2_three_32 = auto()
    IEC_60309_2_three_64 = auto()
    IEC_62196_T1 = auto()
    IEC_62196_T1_COMBO = auto()
    IEC_62196_T2 = auto()
    IEC_62196_T2_COMBO = auto()
    IEC_62196_T3A = auto()
    IEC_62196_T3C = auto()
    TESLA_R = auto()
    TESLA_S = auto()


class Facility(OcpiEnum):
    HOTEL = auto()
    RESTAURANT = auto()
    CAFE = auto()
    MALL = auto()
    SUPERMARKET = auto()
    SPORT = auto()
    RECREATION_AREA = auto()
    NATURE = auto()
    MUSEUM = auto()
    BUS_STOP = auto()
    TAXI_STAND = auto()
    TRAIN_STATION = auto()
    AIRPORT = auto()
    CARPOOL_PARKING = auto()
    FUEL_STATION = auto()
    WIFI = auto()


class LocationType(OcpiEnum):
    ON_STREET = auto()
    PARKING_GARAGE = auto()
    UNDERGROUND_GARAGE = auto()
    PARKING_LOT = auto()
    OTHER = auto()
    UNKNOWN = auto()


class PowerType(OcpiEnum):
    AC_1_PHASE = auto()
    AC_3_PHASE = auto()
    DC = auto()


class SessionStatus(OcpiEnum):
    ACTIVE = auto()
    COMPLETED = auto()
    INVALID = auto()
    PENDING = auto()


class AuthMethod(OcpiEnum):
    AUTH_REQUEST = auto()
    WHITELIST = auto()


class CdrDimensionType(OcpiEnum):
    ENERGY = auto()
    FLAT = auto()
    MAX_CURRENT = auto()
    MIN_CURRENT = auto()
    PARKING_TIME = auto()
    TIME = auto()


class TokenType(OcpiEnum):
    OTHER = auto()
    RFID = auto()


class Allowed(OcpiEnum):
    ALLOWED = auto()
    BLOCKED = auto()
    EXPIRED = auto()
    NO_CREDIT = auto()
    NOT_ALLOWED = auto()


class CommandResponseType(OcpiEnum):
    NOT_SUPPORTED = auto()
    REJECTED = auto()
    ACCEPTED = auto()
    TIMEOUT = auto()
    UNKNOWN_SESSION = auto()


class CommandType(OcpiEnum):
    RESERVE_NOW = auto()
    START_SESSION = auto()
    STOP_SESSION = auto()
    UNLOCK_CONNECTOR = auto()


class VersionNumber(OcpiEnum):
    V2_0 = "2.0"
    V2_1 = "2.1"
    V2_1_1 = "2.1.1"
