"""Locations (OCPI 2.3.0, mod_locations): parking, plug and charge, a help line, open enums."""

from __future__ import annotations

from pydantic import Field, StrictBool, root_validator

from db_interface.json_data import JsonObject
from domain import schemas
from domain.schemas.types import (
    CiString25,
    CiString36,
    CiString255,
    Number,
    OcpiModel,
    String12,
    String50,
)
from domain.versions.derived import (
    any_number,
    at_least_one,
    derived,
    optional,
    required,
)
from domain.versions.v2_3_0.schemas.common import BusinessDetails, Image
from domain.versions.v2_3_0.schemas.enums import (
    Capability,
    ConnectorCapability,
    ConnectorType,
    EnvironmentalImpactCategory,
    EVSEPosition,
    Facility,
    ParkingDirection,
    ParkingRestriction,
    ParkingType,
    TokenType,
    VehicleType,
)


class Parking(OcpiModel):
    id: CiString36
    physical_reference: String12 | None = None
    vehicle_types: list[VehicleType] = Field(..., min_items=1)
    max_vehicle_weight: Number | None = None
    max_vehicle_height: Number | None = None
    max_vehicle_length: Number | None = None
    max_vehicle_width: Number | None = None
    parking_space_length: Number | None = None
    parking_space_width: Number | None = None
    dangerous_goods_allowed: StrictBool | None = None
    direction: ParkingDirection | None = None
    drive_through: StrictBool | None = None
    restricted_to_type: StrictBool
    reservation_required: StrictBool
    time_limit: Number | None = None
    roofed: StrictBool | None = None
    images: list[Image] | None = None  # type: ignore[valid-type]
    lighting: StrictBool | None = None
    refrigeration_outlet: StrictBool | None = None
    standards: list[CiString36] | None = None
    apds_reference: CiString255 | None = None


class EVSEParking(OcpiModel):
    parking_id: CiString36
    evse_position: EVSEPosition | None = None


EnvironmentalImpact = derived(
    schemas.EnvironmentalImpact, category=required(EnvironmentalImpactCategory)
)
EnergyMix = derived(schemas.EnergyMix, environ_impact=any_number(EnvironmentalImpact))
PublishTokenType = derived(schemas.PublishTokenType, type=optional(TokenType))
Connector = derived(
    schemas.Connector,
    standard=required(ConnectorType),
    capabilities=any_number(ConnectorCapability),
)
EVSE = derived(
    schemas.EVSE,
    capabilities=any_number(Capability),
    connectors=at_least_one(Connector),
    parking_restrictions=any_number(ParkingRestriction),
    parking=any_number(EVSEParking),
    images=any_number(Image),
    accepted_service_providers=any_number(String50),
)


class LocationRules(schemas.Location):
    """What holds between a Location's parking places and its EVSEs."""

    @root_validator(skip_on_failure=True, allow_reuse=True)
    def _parking_is_known(cls, values: JsonObject) -> JsonObject:
        places = [str(place.id).lower() for place in values.get("parking_places") or ()]
        if len(set(places)) < len(places):
            raise ValueError("two parking places of one location have the same id")
        for evse in values.get("evses") or ():
            for link in evse.parking or ():
                if str(link.parking_id).lower() not in places:
                    raise ValueError("an EVSE's parking_id is none of the parking places")
        return values


Location = derived(
    LocationRules,
    publish_allowed_to=any_number(PublishTokenType),
    parking_type=optional(ParkingType),
    evses=any_number(EVSE),
    parking_places=any_number(Parking),
    operator=optional(BusinessDetails),
    suboperator=optional(BusinessDetails),
    owner=optional(BusinessDetails),
    facilities=any_number(Facility),
    images=any_number(Image),
    energy_mix=optional(EnergyMix),
    help_phone=optional(CiString25),
)
