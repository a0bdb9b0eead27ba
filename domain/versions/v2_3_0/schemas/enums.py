"""The enums of OCPI 2.3.0 that 2.2.1 lacks or has otherwise.

An OpenEnum names the values that the text knows and leaves room for others (types, "OpenEnum
type"). Ours take any text that can be an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import ClassVar

from domain.schemas import enums, location_enums
from domain.schemas.enums import OcpiEnum
from domain.schemas.types import CiString


class Role(OcpiEnum):
    """Without HUB: a hub's platform names itself in `hub_party_id` and lists its clients."""

    CPO = auto()
    EMSP = auto()
    NAP = auto()
    NSP = auto()
    OTHER = auto()
    SCSP = auto()


class EVSEPosition(OcpiEnum):
    LEFT = auto()
    RIGHT = auto()
    CENTER = auto()


class ParkingDirection(OcpiEnum):
    PARALLEL = auto()
    PERPENDICULAR = auto()
    ANGLE = auto()


class TaxIncluded(OcpiEnum):
    YES = auto()
    NO = auto()
    NOT_APPLICABLE = "N/A"


class OpenEnum(CiString):
    """Text that is one of the known values, or another that its sender has made up."""

    max_length = 255
    known: ClassVar[tuple[str, ...]] = ()


def _values(members: Iterable[Enum], *more: str) -> tuple[str, ...]:
    return (*(str(member.value) for member in members), *more)


class Capability(OpenEnum):
    known = _values(location_enums.Capability)


class ConnectorCapability(OpenEnum):
    known = ("ISO_15118_2_PLUG_AND_CHARGE", "ISO_15118_20_PLUG_AND_CHARGE")


class ConnectorType(OpenEnum):
    known = _values(location_enums.ConnectorType, "MCS", "SAE_J3400")


class EnvironmentalImpactCategory(OpenEnum):
    known = _values(location_enums.EnvironmentalImpactCategory)


class Facility(OpenEnum):
    known = _values(location_enums.Facility)


class ImageCategory(OpenEnum):
    known = _values(location_enums.ImageCategory)


class ParkingRestriction(OpenEnum):
    known = _values(location_enums.ParkingRestriction, "EMPLOYEES", "TAXIS", "TENANTS")


class ParkingType(OpenEnum):
    known = _values(location_enums.ParkingType)


class VehicleType(OpenEnum):
    known = (
        "MOTORCYCLE",
        "PERSONAL_VEHICLE",
        "PERSONAL_VEHICLE_WITH_TRAILER",
        "VAN",
        "SEMI_TRACTOR",
        "RIGID",
        "TRUCK_WITH_TRAILER",
        "BUS",
        "DISABLED",
    )


class TokenType(OpenEnum):
    known = _values(enums.TokenType, "EMAID")


class VersionNumber(OpenEnum):
    known = _values(enums.VersionNumber, "2.3.0")
