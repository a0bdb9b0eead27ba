"""The enums of a Location, its EVSEs and connectors (OCPI 2.2.1, mod_locations)."""

from __future__ import annotations

from enum import auto

from domain.schemas.enums import OcpiEnum


class Capability(OcpiEnum):
    CHARGING_PROFILE_CAPABLE = auto()
    CHARGING_PREFERENCES_CAPABLE = auto()
    CHIP_CARD_SUPPORT = auto()
    CONTACTLESS_CARD_SUPPORT = auto()
    CREDIT_CARD_PAYABLE = auto()
    DEBIT_CARD_PAYABLE = auto()
    PED_TERMINAL = auto()
    REMOTE_START_STOP_CAPABLE = auto()
    RESERVABLE = auto()
    RFID_READER = auto()
    START_SESSION_CONNECTOR_REQUIRED = auto()
    TOKEN_GROUP_CAPABLE = auto()
    UNLOCK_CAPABLE = auto()


class ConnectorFormat(OcpiEnum):
    SOCKET = auto()
    CABLE = auto()


class ConnectorType(OcpiEnum):
    CHADEMO = auto()
    CHAOJI = auto()
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
    DOMESTIC_M = auto()
    DOMESTIC_N = auto()
    DOMESTIC_O = auto()
    GBT_AC = auto()
    GBT_DC = auto()
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
    NEMA_5_20 = auto()
    NEMA_6_30 = auto()
    NEMA_6_50 = auto()
    NEMA_10_30 = auto()
    NEMA_10_50 = auto()
    NEMA_14_30 = auto()
    NEMA_14_50 = auto()
    PANTOGRAPH_BOTTOM_UP = auto()
    PANTOGRAPH_TOP_DOWN = auto()
    TESLA_R = auto()
    TESLA_S = auto()


class EnergySourceCategory(OcpiEnum):
    NUCLEAR = auto()
    GENERAL_FOSSIL = auto()
    COAL = auto()
    GAS = auto()
    GENERAL_GREEN = auto()
    SOLAR = auto()
    WIND = auto()
    WATER = auto()


class EnvironmentalImpactCategory(OcpiEnum):
    NUCLEAR_WASTE = auto()
    CARBON_DIOXIDE = auto()


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
    BIKE_SHARING = auto()
    BUS_STOP = auto()
    TAXI_STAND = auto()
    TRAM_STOP = auto()
    METRO_STATION = auto()
    TRAIN_STATION = auto()
    AIRPORT = auto()
    PARKING_LOT = auto()
    CARPOOL_PARKING = auto()
    FUEL_STATION = auto()
    WIFI = auto()


class ImageCategory(OcpiEnum):
    CHARGER = auto()
    ENTRANCE = auto()
    LOCATION = auto()
    NETWORK = auto()
    OPERATOR = auto()
    OTHER = auto()
    OWNER = auto()


class ParkingRestriction(OcpiEnum):
    EV_ONLY = auto()
    PLUGGED = auto()
    DISABLED = auto()
    CUSTOMERS = auto()
    MOTORCYCLES = auto()


class ParkingType(OcpiEnum):
    ALONG_MOTORWAY = auto()
    PARKING_GARAGE = auto()
    PARKING_LOT = auto()
    ON_DRIVEWAY = auto()
    ON_STREET = auto()
    UNDERGROUND_GARAGE = auto()


class PowerType(OcpiEnum):
    AC_1_PHASE = auto()
    AC_2_PHASE = auto()
    AC_2_PHASE_SPLIT = auto()
    AC_3_PHASE = auto()
    DC = auto()


class Status(OcpiEnum):
    AVAILABLE = auto()
    BLOCKED = auto()
    CHARGING = auto()
    INOPERATIVE = auto()
    OUTOFORDER = auto()
    PLANNED = auto()
    REMOVED = auto()
    RESERVED = auto()
    UNKNOWN = auto()
