"""The objects of EnergyInfrastructureStatusPublication."""

from __future__ import annotations

from domain.datex.shapes.energy import RATE_UPDATE
from domain.datex.shapes.fields import fields
from domain.datex.shapes.times import OVERALL_PERIOD
from domain.datex.xml import Shape, enumeration, one_of, plain, refers_to, several

_STATUS_OBJECT = fields("afac", reference=refers_to("afac:FacilityObject"), lastUpdated=plain)
_POINT_STATUS = Shape(
    {},
    {
        **_STATUS_OBJECT,
        **fields(
            "aegi",
            status=enumeration,
            plannedRefillPointStatus=several(
                Shape({}, fields("aegi", status=enumeration, overallPeriod=OVERALL_PERIOD))
            ),
        ),
    },
)
_STATION_STATUS = Shape(
    {},
    {
        **_STATUS_OBJECT,
        **fields(
            "aegi",
            isAvailable=plain,
            refillPointStatus=several(
                one_of(
                    {
                        "aegiElectricChargingPointStatus": (
                            "aegi:ElectricChargingPointStatus",
                            _POINT_STATUS,
                        )
                    }
                )
            ),
            energyRateUpdate=several(RATE_UPDATE),
        ),
    },
)
SITE_STATUS = Shape(
    {},
    {
        **_STATUS_OBJECT,
        **fields("aegi", energyInfrastructureStationStatus=several(_STATION_STATUS)),
    },
)
