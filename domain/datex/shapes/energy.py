"""What energy there is, and what it costs."""

from __future__ import annotations

from domain.datex.shapes.fields import fields
from domain.datex.shapes.times import OVERALL_PERIOD
from domain.datex.xml import Shape, as_type, enumeration, multilingual, plain, refers_to, several

PRICE = Shape(
    {},
    fields(
        "aegi",
        priceGroupIndex=plain,
        priceType=enumeration,
        value=plain,
        taxIncluded=plain,
        taxRate=plain,
        additionalInformation=multilingual,
        overallPeriod=OVERALL_PERIOD,
        timeBasedApplicability=Shape({}, fields("aegi", fromMinute=plain, toMinute=plain)),
        energyBasedApplicability=Shape({}, fields("aegi", fromKWh=plain, toKWh=plain)),
    ),
)
_RATE = Shape(
    {"idG": "id"},
    fields(
        "aegi",
        ratePolicy=enumeration,
        lastUpdated=plain,
        applicableCurrency=several(plain),
        rateName=multilingual,
        maximumDeliveryFee=plain,
        minimumDeliveryFee=plain,
        additionalInformation=multilingual,
        payment=Shape({}, fields("afac", paymentMeans=several(enumeration))),
        energyPrice=several(PRICE),
        overallPeriod=OVERALL_PERIOD,
    ),
)
ENERGY = as_type(
    "aegi:ElectricEnergy",
    Shape(
        {},
        fields(
            "aegi",
            energyProductName=multilingual,
            isGreenEnergy=plain,
            energyRateByReference=several(refers_to("aegi:EnergyRate")),
            energyRate=several(_RATE),
            carbonDioxideImpact=plain,
            nuclearWasteImpact=plain,
            electricEnergySourceRatio=several(
                Shape(
                    {},
                    fields(
                        "aegi",
                        energySource=enumeration,
                        sourceRatioValue=Shape({}, fields("com", percentage=plain)),
                    ),
                )
            ),
        ),
    ),
)
RATE_UPDATE = Shape(
    {},
    fields(
        "aegi",
        lastUpdated=plain,
        energyRateReference=refers_to("aegi:EnergyRate"),
        energyPrice=several(PRICE),
    ),
)
