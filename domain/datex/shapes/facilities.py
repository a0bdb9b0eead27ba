"""What all objects of an infrastructure have in common (afac:Facility)."""

from __future__ import annotations

from domain.datex.shapes.fields import ID, fields
from domain.datex.shapes.organisations import EXTERNAL_IDENTIFIER, ORGANISATION
from domain.datex.shapes.places import LOCATION_REFERENCE
from domain.datex.shapes.times import OPERATING_HOURS
from domain.datex.xml import Shape, enumeration, multilingual, one_of, plain, several

_URL_LINK = Shape({}, fields("com", urlLinkAddress=plain, urlLinkType=enumeration))
_VEHICLES = Shape({}, fields("com", vehicleType=several(enumeration)))
_FACILITY_OBJECT = fields(
    "afac",
    name=multilingual,
    accessibility=several(enumeration),
    additionalInformation=several(multilingual),
    externalIdentifier=several(EXTERNAL_IDENTIFIER),
    photoUrl=several(_URL_LINK),
    operatingHours=OPERATING_HOURS,
    locationReference=LOCATION_REFERENCE,
    owner=ORGANISATION,
    operator=ORGANISATION,
    helpdesk=ORGANISATION,
    associatedFacility=several(Shape({}, fields("afac", type=enumeration))),
    applicableForVehicles=several(_VEHICLES),
    dimension=Shape({}, fields("afac", length=plain, width=plain)),
    amenities=Shape({}, fields("afac", illuminated=plain, roofed=plain)),
)
_SUPPLEMENTAL = one_of(
    {
        "afacSupplementalEquipment": (
            "afac:SupplementalEquipment",
            Shape(ID, {**_FACILITY_OBJECT, **fields("afac", equipmentType=enumeration)}),
        ),
        "afacSupplementalServiceFacility": (
            "afac:SupplementalServiceFacility",
            Shape(ID, {**_FACILITY_OBJECT, **fields("afac", serviceFacilityType=enumeration)}),
        ),
    }
)
_PARKING_SPACES = Shape(
    ID,
    {
        **_FACILITY_OBJECT,
        **fields("aegi", numberOfSpaces=plain, userSpecific=several(enumeration)),
    },
)
FACILITY = {
    **_FACILITY_OBJECT,
    **fields(
        "afac",
        supplementalFacility=several(_SUPPLEMENTAL),
        dedicatedParkingSpaces=several(_PARKING_SPACES),
    ),
}
