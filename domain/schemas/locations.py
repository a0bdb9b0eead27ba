"""Locations (OCPI 2.2.1, mod_locations): Location, EVSE, Connector and their classes.

Deviation, on purpose: `opening_times: {"twentyfourseven": false}` without `regular_hours` is taken,
though the text wants at least one; a tenth of real locations says just that, and the field's
cardinality (*) allows it.
"""

from typing import Any

from pydantic import Field, StrictBool, root_validator, validator

from db_interface.json_data import JsonObject
from domain.schemas.common import DisplayText
from domain.schemas.enums import TokenType
from domain.schemas.location_enums import (
    Capability,
    ConnectorFormat,
    ConnectorType,
    EnergySourceCategory,
    EnvironmentalImpactCategory,
    Facility,
    ImageCategory,
    ParkingRestriction,
    ParkingType,
    PowerType,
    Status,
)
from domain.schemas.types import (
    CiString3,
    CiString4,
    CiString36,
    CiString48,
    Country,
    CountryCode,
    DateTime,
    Int,
    Latitude,
    LocalTime,
    Longitude,
    Number,
    OcpiModel,
    Percentage,
    PixelCount,
    String4,
    String10,
    String16,
    String45,
    String64,
    String100,
    String255,
    TimeZone,
    Url,
    Weekday,
)


class GeoLocation(OcpiModel):
    latitude: Latitude
    longitude: Longitude


class AdditionalGeoLocation(OcpiModel):
    latitude: Latitude
    longitude: Longitude
    name: DisplayText | None = None


class Image(OcpiModel):
    url: Url
    thumbnail: Url | None = None
    category: ImageCategory
    type: CiString4
    width: PixelCount | None = None
    height: PixelCount | None = None


class BusinessDetails(OcpiModel):
    name: String100
    website: Url | None = None
    logo: Image | None = None


class EnergySource(OcpiModel):
    source: EnergySourceCategory
    percentage: Percentage


class EnvironmentalImpact(OcpiModel):
    category: EnvironmentalImpactCategory
    amount: Number


class EnergyMix(OcpiModel):
    is_green_energy: StrictBool
    energy_sources: list[EnergySource] | None = None
    environ_impact: list[EnvironmentalImpact] | None = None
    supplier_name: String64 | None = None
    energy_product_name: String64 | None = None


class ExceptionalPeriod(OcpiModel):
    period_begin: DateTime
    period_end: DateTime


class RegularHours(OcpiModel):
    weekday: Weekday
    period_begin: LocalTime
    period_end: LocalTime

    @validator("period_end")
    def _ends_after_begin(cls, value: str, values: JsonObject) -> str:
        if value <= values.get("period_begin", ""):
            raise ValueError("not later than period_begin")
        return value


class Hours(OcpiModel):
    twentyfourseven: StrictBool
    regular_hours: list[RegularHours] | None = None
    exceptional_openings: list[ExceptionalPeriod] | None = None
    exceptional_closings: list[ExceptionalPeriod] | None = None

    @validator("regular_hours")
    def _only_if_not_always_open(cls, value: object, values: JsonObject) -> Any:
        if value and values.get("twentyfourseven"):
            raise ValueError("only to be used if twentyfourseven is false")
        return value


class StatusSchedule(OcpiModel):
    period_begin: DateTime
    period_end: DateTime | None = None
    status: Status


class PublishTokenType(OcpiModel):
    uid: CiString36 | None = None
    type: TokenType | None = None
    visual_number: String64 | None = None
    issuer: String64 | None = None
    group_id: CiString36 | None = None

    @root_validator(skip_on_failure=True)
    def _identifies_a_token(cls, values: JsonObject) -> JsonObject:
        if all(values[name] is None for name in ("uid", "visual_number", "group_id")):
            raise ValueError("one of uid, visual_number or group_id is required")
        if values["uid"] is not None and values["type"] is None:
            raise ValueError("type is required when uid is set")
        if values["visual_number"] is not None and values["issuer"] is None:
            raise ValueError("issuer is required when visual_number is set")
        return values


class Connector(OcpiModel):
    id: CiString36
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    max_voltage: Int
    max_amperage: Int
    max_electric_power: Int | None = None
    tariff_ids: list[CiString36] | None = None
    terms_and_conditions: Url | None = None
    last_updated: DateTime


class EVSE(OcpiModel):
    uid: CiString36
    evse_id: CiString48 | None = None
    status: Status
    status_schedule: list[StatusSchedule] | None = None
    capabilities: list[Capability] | None = None
    connectors: list[Connector] = Field(..., min_items=1)
    floor_level: String4 | None = None
    coordinates: GeoLocation | None = None
    physical_reference: String16 | None = None
    directions: list[DisplayText] | None = None
    parking_restrictions: list[ParkingRestriction] | None = None
    images: list[Image] | None = None
    last_updated: DateTime

    @validator("connectors")
    def _connector_ids_are_unique(cls, value: list[Connector]) -> list[Connector]:
        if len({str(connector.id).lower() for connector in value}) < len(value):
            raise ValueError("two connectors of one EVSE have the same id")
        return value


class Location(OcpiModel):
    country_code: CountryCode
    party_id: CiString3
    id: CiString36
    publish: StrictBool
    publish_allowed_to: list[PublishTokenType] | None = None
    name: String255 | None = None
    address: String255
    city: String45
    postal_code: String10 | None = None
    state: String45 | None = None
    country: Country
    coordinates: GeoLocation
    related_locations: list[AdditionalGeoLocation] | None = None
    parking_type: ParkingType | None = None
    evses: list[EVSE] | None = None
    directions: list[DisplayText] | None = None
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: list[Facility] | None = None
    time_zone: TimeZone
    opening_times: Hours | None = None
    charging_when_closed: StrictBool | None = None
    images: list[Image] | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime

    @validator("publish_allowed_to")
    def _only_if_not_published(cls, value: object, values: JsonObject) -> Any:
        if value and values.get("publish"):
            raise ValueError("only to be used if publish is false")
        return value

    @validator("evses")
    def _evse_uids_are_unique(cls, value: list[EVSE] | None) -> list[EVSE] | None:
        if value and len({str(evse.uid).lower() for evse in value}) < len(value):
            raise ValueError("two EVSEs of one location have the same uid")
        return value
