"""The objects of EnergyInfrastructureTablePublication."""

from __future__ import annotations

from domain.datex.shapes.energy import ENERGY
from domain.datex.shapes.facilities import FACILITY
from domain.datex.shapes.fields import ID, fields
from domain.datex.words import EQUIPMENT
from domain.datex.xml import Field, Shape, enumeration, one_of, plain, several

_ENERGY_FIELD = {"electricEnergy": Field("aegi:energyProduct", several(ENERGY))}
_CONNECTOR = Shape(
    {},
    fields(
        "aegi",
        connectorType=enumeration,
        otherConnector=plain,
        connectorFormat=enumeration,
        maxPowerAtSocket=plain,
        voltage=plain,
        maximumCurrent=plain,
    ),
)
_EQUIPMENT = Shape(
    {},
    fields(
        "aegi",
        currentType=enumeration,
        usageType=several(enumeration),
        vehicleToGridCommunicationType=several(enumeration),
        numberOfConnectors=plain,
        availableVoltage=several(plain),
        availableChargingPower=several(plain),
        chargingMode=enumeration,
        smartRechargingServices=several(enumeration),
        connector=several(_CONNECTOR),
    ),
)
_CHARGING_POINT = Shape(
    ID,
    {
        **FACILITY,
        **fields("aegi", deliveryUnit=enumeration, reservation=enumeration),
        **_ENERGY_FIELD,
        EQUIPMENT: Field("", _EQUIPMENT.inline),
    },
)
_STATION = Shape(
    ID,
    {
        **FACILITY,
        **fields(
            "aegi",
            totalMaximumPower=plain,
            authenticationAndIdentificationMethods=several(enumeration),
            numberOfRefillPoints=plain,
            renewableSources=plain,
            serviceType=several(Shape({}, fields("aegi", serviceType=enumeration))),
            refillPoint=several(
                one_of(
                    {"aegiElectricChargingPoint": ("aegi:ElectricChargingPoint", _CHARGING_POINT)}
                )
            ),
        ),
        **_ENERGY_FIELD,
    },
)
SITE = Shape(
    ID,
    {
        **FACILITY,
        **fields("aegi", typeOfSite=enumeration, energyInfrastructureStation=several(_STATION)),
    },
)
