"""CDRs (OCPI 2.2.1, mod_cdrs): CDR and its classes, those that sessions share included.

`CdrLocation.address` and `.state` are shorter (45, 20) than in a Location (255, 45): so says the
table, whose correction for Location did not reach it. Who makes a CDR must shorten them.
"""

from pydantic import Field, StrictBool, root_validator, validator

from db_interface.json_data import JsonObject
from domain.schemas.common import Price
from domain.schemas.enums import AuthMethod, CdrDimensionType, TokenType
from domain.schemas.location_enums import ConnectorFormat, ConnectorType, PowerType
from domain.schemas.locations import GeoLocation
from domain.schemas.tariffs import Tariff
from domain.schemas.types import (
    CiString3,
    CiString32,
    CiString36,
    CiString39,
    CiString48,
    Country,
    CountryCode,
    Currency,
    DateTime,
    Int,
    Number,
    OcpiModel,
    String10,
    String20,
    String45,
    String255,
    String512,
    String5000,
)

# CdrDimensionType, column "Session Only": they SHALL only be used in sessions.
SESSION_ONLY_DIMENSIONS = frozenset(
    {"CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE"}
)
_MAX_ID_LENGTH_WITHOUT_CREDIT = 36


class CdrToken(OcpiModel):
    country_code: CountryCode
    party_id: CiString3
    uid: CiString36
    type: TokenType
    contract_id: CiString36


class CdrLocation(OcpiModel):
    id: CiString36
    name: String255 | None = None
    address: String45
    city: String45
    postal_code: String10 | None = None
    state: String20 | None = None
    country: Country
    coordinates: GeoLocation
    evse_uid: CiString36
    evse_id: CiString48
    connector_id: CiString36
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType


class CdrDimension(OcpiModel):
    type: CdrDimensionType
    volume: Number

    @validator("volume")
    def _state_of_charge_is_a_percentage(cls, value: float, values: JsonObject) -> float:
        if values.get("type") == "STATE_OF_CHARGE" and not 0 <= value <= 100:
            raise ValueError("STATE_OF_CHARGE is a percentage from 0 to 100")
        return value


class ChargingPeriod(OcpiModel):
    start_date_time: DateTime
    dimensions: list[CdrDimension] = Field(..., min_items=1)
    tariff_id: CiString36 | None = None


class SignedValue(OcpiModel):
    nature: CiString32
    plain_data: String5000
    signed_data: String5000


class SignedData(OcpiModel):
    encoding_method: CiString36
    encoding_method_version: Int | None = None
    public_key: String512 | None = None
    signed_values: list[SignedValue] = Field(..., min_items=1)
    url: String512 | None = None


class CDR(OcpiModel):
    country_code: CountryCode
    party_id: CiString3
    id: CiString39
    start_date_time: DateTime
    end_date_time: DateTime
    session_id: CiString36 | None = None
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    cdr_location: CdrLocation
    meter_id: String255 | None = None
    currency: Currency
    tariffs: list[Tariff] | None = None
    charging_periods: list[ChargingPeriod] = Field(..., min_items=1)
    signed_data: SignedData | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: Number
    total_energy_cost: Price | None = None
    total_time: Number
    total_time_cost: Price | None = None
    total_parking_time: Number | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: String255 | None = None
    invoice_reference_id: CiString39 | None = None
    credit: StrictBool | None = None
    credit_reference_id: CiString39 | None = None
    home_charging_compensation: StrictBool | None = None
    last_updated: DateTime

    @validator("charging_periods")
    def _no_session_only_dimensions(cls, value: list[ChargingPeriod]) -> list[ChargingPeriod]:
        used = {str(dimension.type) for period in value for dimension in period.dimensions}
        wrong = sorted(used & SESSION_ONLY_DIMENSIONS)
        if wrong:
            raise ValueError(f"dimensions for sessions only: {', '.join(wrong)}")
        return value

    @root_validator(skip_on_failure=True)
    def _credit(cls, values: JsonObject) -> JsonObject:
        if values["credit"]:
            if values["credit_reference_id"] is None:
                raise ValueError("credit_reference_id is required when credit is true")
        elif len(values["id"]) > _MAX_ID_LENGTH_WITHOUT_CREDIT:
            raise ValueError("id longer than 36 characters in a CDR that is no Credit CDR")
        return values
