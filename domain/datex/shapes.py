"""The classes of DATEX II 3.7 that are written, their fields in the order of its schema: CEN/TS
16157-10 as extended for the regulation on alternative fuels infrastructure (aegi, afac).

Facts of the schema in our own words; what is never written does not stand here.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.datex.words import EQUIPMENT
from domain.datex.xml import (
    Field,
    Shape,
    Write,
    as_type,
    enumeration,
    multilingual,
    one_of,
    plain,
    refers_to,
    several,
    time_of_day,
)

_ID = {"idG": "id", "versionG": "version"}


def _fields(prefix: str, **writes: Write) -> Mapping[str, Field]:
    return {name: Field(f"{prefix}:{name}", write) for name, write in writes.items()}


_URL_LINK = Shape({}, _fields("com", urlLinkAddress=plain, urlLinkType=enumeration))

# When

_DAYS = Shape({}, _fields("com", applicableDay=several(enumeration)))
_TIMES = Shape({}, _fields("com", startTimeOfPeriod=time_of_day, endTimeOfPeriod=time_of_day))
_PERIOD = Shape(
    {},
    _fields(
        "com",
        startOfPeriod=plain,
        endOfPeriod=plain,
        recurringTimePeriodOfDay=several(_TIMES),
        recurringDayWeekMonthPeriod=several(
            one_of({"comDayWeekMonth": ("com:DayWeekMonth", _DAYS)})
        ),
    ),
)
_OVERALL_PERIOD = Shape(
    {},
    _fields(
        "com",
        overallStartTime=plain,
        overallEndTime=plain,
        validPeriod=several(_PERIOD),
        exceptionPeriod=several(_PERIOD),
    ),
)
_OPERATING_HOURS = one_of(
    {
        "afacOpenAllHours": ("afac:OpenAllHours", Shape({}, {})),
        "afacOperatingHoursSpecification": (
            "afac:OperatingHoursSpecification",
            Shape(_ID, _fields("afac", overallPeriod=_OVERALL_PERIOD)),
        ),
    }
)

# Where

_COORDINATES = Shape({}, _fields("loc", latitude=plain, longitude=plain))
_ADDRESS = Shape(
    {},
    _fields(
        "locx",
        postcode=plain,
        city=multilingual,
        countryCode=plain,
        addressLine=several(
            Shape({"order": "order"}, _fields("locx", type=enumeration, text=multilingual))
        ),
    ),
)
_NUTS_AREA = Shape({}, _fields("afac", nutsCodeType=enumeration, nutsCode=plain))
_FACILITY_LOCATION = Shape(
    {}, _fields("afac", timeZone=plain, address=_ADDRESS, nutsArea=several(_NUTS_AREA))
)
_LOCATION_EXTENSION = Shape(
    {}, {"FacilityLocation": Field("loc:afirFacilityLocation", _FACILITY_LOCATION)}
)
_LOCATION_REFERENCE = one_of(
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
                        Shape({}, _fields("loc", pointCoordinates=_COORDINATES)),
                    ),
                },
            ),
        )
    }
)

# Who

_EXTERNAL_IDENTIFIER = Shape(
    {},
    _fields("afac", identifier=plain, typeOfIdentifier=enumeration, otherTypeOfIdentifier=plain),
)
_CONTACT = one_of(
    {
        "afacContactInformation": (
            "afac:ContactInformation",
            Shape({}, _fields("afac", telephoneNumber=plain)),
        )
    }
)
_ORGANISATION = one_of(
    {
        "afacAnOrganisation": (
            "afac:AnOrganisation",
            Shape(
                {},
                _fields(
                    "afac",
                    name=multilingual,
                    legalName=multilingual,
                    linkToGeneralInformation=plain,
                    linkToLogo=plain,
                    organisationUnit=several(
                        Shape({}, _fields("afac", contactInformation=several(_CONTACT)))
                    ),
                    externalIdentifier=several(_EXTERNAL_IDENTIFIER),
                ),
            ),
        )
    }
)

# What

_VEHICLES = Shape({}, _fields("com", vehicleType=several(enumeration)))
_FACILITY_OBJECT = _fields(
    "afac",
    name=multilingual,
    accessibility=several(enumeration),
    additionalInformation=several(multilingual),
    externalIdentifier=several(_EXTERNAL_IDENTIFIER),
    photoUrl=several(_URL_LINK),
    operatingHours=_OPERATING_HOURS,
    locationReference=_LOCATION_REFERENCE,
    owner=_ORGANISATION,
    operator=_ORGANISATION,
    helpdesk=_ORGANISATION,
    associatedFacility=several(Shape({}, _fields("afac", type=enumeration))),
    applicableForVehicles=several(_VEHICLES),
    dimension=Shape({}, _fields("afac", length=plain, width=plain)),
    amenities=Shape({}, _fields("afac", illuminated=plain, roofed=plain)),
)
_SUPPLEMENTAL = one_of(
    {
        "afacSupplementalEquipment": (
            "afac:SupplementalEquipment",
            Shape(_ID, {**_FACILITY_OBJECT, **_fields("afac", equipmentType=enumeration)}),
        ),
        "afacSupplementalServiceFacility": (
            "afac:SupplementalServiceFacility",
            Shape(_ID, {**_FACILITY_OBJECT, **_fields("afac", serviceFacilityType=enumeration)}),
        ),
    }
)
_PARKING_SPACES = Shape(
    _ID,
    {
        **_FACILITY_OBJECT,
        **_fields("aegi", numberOfSpaces=plain, userSpecific=several(enumeration)),
    },
)
_FACILITY = {
    **_FACILITY_OBJECT,
    **_fields(
        "afac",
        supplementalFacility=several(_SUPPLEMENTAL),
        dedicatedParkingSpaces=several(_PARKING_SPACES),
    ),
}

# What it costs

_PRICE = Shape(
    {},
    _fields(
        "aegi",
        priceGroupIndex=plain,
        priceType=enumeration,
        value=plain,
        taxIncluded=plain,
        taxRate=plain,
        additionalInformation=multilingual,
        overallPeriod=_OVERALL_PERIOD,
        timeBasedApplicability=Shape({}, _fields("aegi", fromMinute=plain, toMinute=plain)),
        energyBasedApplicability=Shape({}, _fields("aegi", fromKWh=plain, toKWh=plain)),
    ),
)
_RATE = Shape(
    {"idG": "id"},
    _fields(
        "aegi",
        ratePolicy=enumeration,
        lastUpdated=plain,
        applicableCurrency=several(plain),
        rateName=multilingual,
        maximumDeliveryFee=plain,
        minimumDeliveryFee=plain,
        additionalInformation=multilingual,
        payment=Shape({}, _fields("afac", paymentMeans=several(enumeration))),
        energyPrice=several(_PRICE),
        overallPeriod=_OVERALL_PERIOD,
    ),
)
_ENERGY = as_type(
    "aegi:ElectricEnergy",
    Shape(
        {},
        _fields(
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
                    _fields(
                        "aegi",
                        energySource=enumeration,
                        sourceRatioValue=Shape({}, _fields("com", percentage=plain)),
                    ),
                )
            ),
        ),
    ),
)
_RATE_UPDATE = Shape(
    {},
    _fields(
        "aegi",
        lastUpdated=plain,
        energyRateReference=refers_to("aegi:EnergyRate"),
        energyPrice=several(_PRICE),
    ),
)

# The objects of the two publications

_ENERGY_FIELD = {"electricEnergy": Field("aegi:energyProduct", several(_ENERGY))}
_CONNECTOR = Shape(
    {},
    _fields(
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
    _fields(
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
    _ID,
    {
        **_FACILITY,
        **_fields("aegi", deliveryUnit=enumeration, reservation=enumeration),
        **_ENERGY_FIELD,
        EQUIPMENT: Field("", _EQUIPMENT.inline),
    },
)
_STATION = Shape(
    _ID,
    {
        **_FACILITY,
        **_fields(
            "aegi",
            totalMaximumPower=plain,
            authenticationAndIdentificationMethods=several(enumeration),
            numberOfRefillPoints=plain,
            renewableSources=plain,
            serviceType=several(Shape({}, _fields("aegi", serviceType=enumeration))),
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
    _ID,
    {
        **_FACILITY,
        **_fields("aegi", typeOfSite=enumeration, energyInfrastructureStation=several(_STATION)),
    },
)

_STATUS_OBJECT = _fields("afac", reference=refers_to("afac:FacilityObject"), lastUpdated=plain)
_POINT_STATUS = Shape(
    {},
    {
        **_STATUS_OBJECT,
        **_fields(
            "aegi",
            status=enumeration,
            plannedRefillPointStatus=several(
                Shape({}, _fields("aegi", status=enumeration, overallPeriod=_OVERALL_PERIOD))
            ),
        ),
    },
)
_STATION_STATUS = Shape(
    {},
    {
        **_STATUS_OBJECT,
        **_fields(
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
            energyRateUpdate=several(_RATE_UPDATE),
        ),
    },
)
SITE_STATUS = Shape(
    {},
    {
        **_STATUS_OBJECT,
        **_fields("aegi", energyInfrastructureStationStatus=several(_STATION_STATUS)),
    },
)
