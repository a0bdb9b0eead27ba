"""The objects that this platform makes itself: inner ones with the values that the texts know.

An operator who writes "Type2" for a connector shall hear of it, though 2.3.0 would take it for a
value of his own.
"""

from __future__ import annotations

from enum import Enum

from domain import schemas
from domain.schemas.enums import OcpiEnum
from domain.schemas.types import CiString25, String50
from domain.versions.derived import any_number, at_least_one, derived, optional, required
from domain.versions.inner import Tariff as _InnerTariff
from domain.versions.v2_3_0.schemas import enums
from domain.versions.v2_3_0.schemas.locations import EVSEParking, LocationRules
from domain.versions.v2_3_0.schemas.locations import Parking as OpenParking


def _known(kind: type[enums.OpenEnum]) -> type[Enum]:
    made: type[Enum] = OcpiEnum(kind.__name__, {value: value for value in kind.known})  # type: ignore[call-overload]
    return made


Tariff = derived(_InnerTariff, energy_mix=optional(schemas.EnergyMix))
Parking = derived(
    OpenParking,
    vehicle_types=at_least_one(_known(enums.VehicleType)),
    images=any_number(schemas.Image),
)
Connector = derived(
    schemas.Connector,
    standard=required(_known(enums.ConnectorType)),
    capabilities=any_number(_known(enums.ConnectorCapability)),
)
EVSE = derived(
    schemas.EVSE,
    connectors=at_least_one(Connector),
    parking_restrictions=any_number(_known(enums.ParkingRestriction)),
    parking=any_number(EVSEParking),
    accepted_service_providers=any_number(String50),
)
Location = derived(
    LocationRules,
    evses=any_number(EVSE),
    parking_places=any_number(Parking),
    help_phone=optional(CiString25),
)
