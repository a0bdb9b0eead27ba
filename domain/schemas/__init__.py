"""Every OCPI 2.2.1 object as the specification says it, and the way in: `validate(model, data)`.

One file per OCPI module; scalar types in types.py. Built on the library's enums; its models are not
used, for their types change what they are given. Knows no HTTP and no store.
"""

from domain.schemas.cdrs import (
    CDR,
    CdrDimension,
    CdrLocation,
    CdrToken,
    ChargingPeriod,
    SignedData,
    SignedValue,
)
from domain.schemas.chargingprofiles import (
    ActiveChargingProfile,
    ActiveChargingProfileResult,
    ChargingProfile,
    ChargingProfilePeriod,
    ChargingProfileResponse,
    ChargingProfileResult,
    ClearProfileResult,
    SetChargingProfile,
)
from domain.schemas.commands import (
    COMMAND_REQUESTS,
    CancelReservation,
    CommandResponse,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from domain.schemas.common import DisplayText, Price
from domain.schemas.credentials import Credentials, CredentialsRole
from domain.schemas.hubclientinfo import ClientInfo
from domain.schemas.leniency import tidy, tidy_location, tidy_tariff
from domain.schemas.locations import (
    EVSE,
    AdditionalGeoLocation,
    BusinessDetails,
    Connector,
    EnergyMix,
    EnergySource,
    EnvironmentalImpact,
    ExceptionalPeriod,
    GeoLocation,
    Hours,
    Image,
    Location,
    PublishTokenType,
    RegularHours,
    StatusSchedule,
)
from domain.schemas.sessions import ChargingPreferences, ChargingPreferencesResponse, Session
from domain.schemas.tariffs import PriceComponent, Tariff, TariffElement, TariffRestrictions
from domain.schemas.tokens import AuthorizationInfo, EnergyContract, LocationReferences, Token
from domain.schemas.types import OcpiModel, round_to_four_decimals
from domain.schemas.validation import (
    SchemaError,
    apply_patch,
    validate,
    validate_patch,
)
from domain.schemas.versions import (
    Endpoint,
    Version,
    VersionDetails,
)
from domain.times import format_datetime, parse_datetime

__all__ = [
    "CDR",
    "COMMAND_REQUESTS",
    "EVSE",
    "ActiveChargingProfile",
    "ActiveChargingProfileResult",
    "AdditionalGeoLocation",
    "AuthorizationInfo",
    "BusinessDetails",
    "CancelReservation",
    "CdrDimension",
    "CdrLocation",
    "CdrToken",
    "ChargingPeriod",
    "ChargingPreferences",
    "ChargingPreferencesResponse",
    "ChargingProfile",
    "ChargingProfilePeriod",
    "ChargingProfileResponse",
    "ChargingProfileResult",
    "ClearProfileResult",
    "ClientInfo",
    "CommandResponse",
    "CommandResult",
    "Connector",
    "Credentials",
    "CredentialsRole",
    "DisplayText",
    "Endpoint",
    "EnergyContract",
    "EnergyMix",
    "EnergySource",
    "EnvironmentalImpact",
    "ExceptionalPeriod",
    "GeoLocation",
    "Hours",
    "Image",
    "Location",
    "LocationReferences",
    "OcpiModel",
    "Price",
    "PriceComponent",
    "PublishTokenType",
    "RegularHours",
    "ReserveNow",
    "SchemaError",
    "Session",
    "SetChargingProfile",
    "SignedData",
    "SignedValue",
    "StartSession",
    "StatusSchedule",
    "StopSession",
    "Tariff",
    "TariffElement",
    "TariffRestrictions",
    "Token",
    "UnlockConnector",
    "Version",
    "VersionDetails",
    "apply_patch",
    "format_datetime",
    "parse_datetime",
    "round_to_four_decimals",
    "tidy",
    "tidy_location",
    "tidy_tariff",
    "validate",
    "validate_patch",
]
