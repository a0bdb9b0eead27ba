"""Locations (OCPI 2.1.1, mod_locations)."""

from __future__ import annotations

from pydantic import Field, StrictBool

from domain.schemas import (
    BusinessDetails,
    DisplayText,
    EnergySource,
    Hours,
    Image,
    OcpiModel,
    StatusSchedule,
)
from domain.schemas.location_enums import (
    ConnectorFormat,
    EnvironmentalImpactCategory,
    ParkingRestriction,
    Status,
)
from domain.schemas.types import (
    Country,
    DateTime,
    Int,
    Number,
    String4,
    String10,
    String16,
    String45,
    String64,
    String255,
    TimeZone,
    Url,
)
from domain.versions.v2_1_1.schemas.enums import (
    Capability,
    ConnectorType,
    Facility,
    LocationType,
    PowerType,
)
from domain.versions.v2_1_1.schemas.types import Id36, Id39, Id48, Latitude6, Longitude6


class GeoLocation(OcpiModel):
    latitude: Latitude6
    longitude: Longitude6


class AdditionalGeoLocation(OcpiModel):
    latitude: Latitude6
    longitude: Longitude6
    name: DisplayText | None = None


class EnvironmentalImpact(OcpiModel):
    source: EnvironmentalImpactCategory
    amount: Number


class EnergyMix(OcpiModel):
    is_green_energy: StrictBool
    energy_sources: list[EnergySource] | None = None
    environ_impact: list[EnvironmentalImpact] | None = None
    supplier_name: String64 | None = None
    energy_product_name: String64 | None = None


class Connector(OcpiModel):
    id: Id36
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    voltage: Int
    amperage: Int
    tariff_id: Id36 | None = None
    terms_and_conditions: Url | None = None
    last_updated: DateTime


class EVSE(OcpiModel):
    uid: Id39
    evse_id: Id48 | None = None
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


class Location(OcpiModel):
    id: Id39
    type: LocationType
    name: String255 | None = None
    address: String45
    city: String45
    postal_code: String10
    country: Country
    coordinates: GeoLocation
    related_locations: list[AdditionalGeoLocation] | None = None
    evses: list[EVSE] | None = None
    directions: list[DisplayText] | None = None
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: list[Facility] | None = None
    time_zone: TimeZone | None = None
    opening_times: Hours | None = None
    charging_when_closed: StrictBool | None = None
    images: list[Image] | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime
