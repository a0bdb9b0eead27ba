"""Where: points, addresses, areas."""

from __future__ import annotations

from domain.datex.shapes.fields import fields
from domain.datex.xml import Field, Shape, enumeration, multilingual, one_of, plain, several

_COORDINATES = Shape({}, fields("loc", latitude=plain, longitude=plain))
_ADDRESS = Shape(
    {},
    fields(
        "locx",
        postcode=plain,
        city=multilingual,
        countryCode=plain,
        addressLine=several(
            Shape({"order": "order"}, fields("locx", type=enumeration, text=multilingual))
        ),
    ),
)
_NUTS_AREA = Shape({}, fields("afac", nutsCodeType=enumeration, nutsCode=plain))
_FACILITY_LOCATION = Shape(
    {}, fields("afac", timeZone=plain, address=_ADDRESS, nutsArea=several(_NUTS_AREA))
)
_LOCATION_EXTENSION = Shape(
    {}, {"FacilityLocation": Field("loc:afirFacilityLocation", _FACILITY_LOCATION)}
)
LOCATION_REFERENCE = one_of(
    {
        "locPointLocation": (
            "loc:PointLocation",
            Shape(
                {},
                {
                    "coordinatesForDisplay": Field("loc:coordinatesForDisplay", _COORDINATES),
                    "locLocationExtensionG": Field("loc:_locationExtension", _LOCATION_EXTENSION),
                    "pointByCoordinates": Field(
                        "loc:pointByCoordinates",
                        Shape({}, fields("loc", pointCoordinates=_COORDINATES)),
                    ),
                },
            ),
        )
    }
)
