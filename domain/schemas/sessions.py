"""Sessions (OCPI 2.2.1, mod_sessions): Session and ChargingPreferences.

The answer to charging preferences is not an object but one value of ChargingPreferencesResponse.
"""

from pydantic import StrictBool

from domain.schemas.cdrs import CdrToken, ChargingPeriod
from domain.schemas.common import Price
from domain.schemas.enums import AuthMethod, ChargingPreferencesResponse, ProfileType, SessionStatus
from domain.schemas.types import (
    CiString3,
    CiString36,
    CountryCode,
    Currency,
    DateTime,
    Number,
    OcpiModel,
    String255,
)

__all__ = ["ChargingPreferences", "ChargingPreferencesResponse", "Session"]


class Session(OcpiModel):
    country_code: CountryCode
    party_id: CiString3
    id: CiString36
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: Number
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36
    meter_id: String255 | None = None
    currency: Currency
    charging_periods: list[ChargingPeriod] | None = None
    total_cost: Price | None = None
    status: SessionStatus
    last_updated: DateTime


class ChargingPreferences(OcpiModel):
    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: Number | None = None
    discharge_allowed: StrictBool | None = None
