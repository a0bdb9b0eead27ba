"""Each word of OCPI's enumerations has its word in DATEX II, or is named as one that has none."""

from __future__ import annotations

import pytest

from domain.datex import connectors, payment, prices, rates, statuses, surroundings
from domain.schemas import location_enums
from domain.schemas.enums import TariffDimensionType
from domain.versions.v2_3_0.schemas import enums

CONNECTOR_TYPES = (
    """
chademo cee3 cee5 yazaki domestic iec60309x2single16 iec60309x2three16 iec60309x2three32
iec60309x2three64 iec62196T1 iec62196T1COMBO iec62196T2 iec62196T2COMBO iec62196T3A iec62196T3C mcs
pantographBottomUp pantographTopDown teslaConnectorEurope teslaConnectorAmerica teslaR teslaS other
""".split()
    + [f"domestic{letter}Type" for letter in "ABCDEFGHIJKLMNO"]
)
STATUSES = """
available blocked charging faulted inoperative occupied outOfOrder outOfStock planned removed
reserved unavailable unknown
""".split()
MEANS = """
paymentCreditCard cashBillsOnly cashCoinsOnly tollTag mobileAccount cashCoinsAndBills prepay
paymentDebitCard paymentValueCard nfc emv qrCode website unknown
""".split()
AUTHENTICATION = """
activeRFIDChip apps calypso cashPayment creditCard debitCard mifareClassic mifareDesfire nfc
overTheAir phoneDialog phoneSMS pinpad plc prepaidCard rfid website unlimitedAccess noAccess
""".split()
SITES = ["inBuilding", "openSpace", "onstreet", "onCompanySite", "other"]
SAID_OF_THE_POINT = ("CHARGING_PREFERENCES_CAPABLE", "RESERVABLE")
NO_WORD_FOR_USERS = ("EV_ONLY", "MOTORCYCLES", "PLUGGED", "TAXIS")


@pytest.mark.parametrize(
    ("ocpi", "known", "unsaid"),
    [
        (enums.ConnectorType.known, connectors.TYPES, ()),
        (location_enums.Status, statuses.STATUSES, ()),
        (enums.ParkingType.known, surroundings.TYPES_OF_SITE, ()),
        (location_enums.EnergySourceCategory, rates.ENERGY_SOURCES, ()),
        (TariffDimensionType, prices.KINDS, ()),
        (enums.VehicleType.known, surroundings.VEHICLES, ("DISABLED",)),
        (enums.ParkingRestriction.known, surroundings.USERS, NO_WORD_FOR_USERS),
        (
            enums.Facility.known,
            {**surroundings.SERVICES, **surroundings.EQUIPMENT, **surroundings.ASSOCIATED},
            surroundings.UNSAID,
        ),
        (
            enums.Capability.known,
            {**payment.AUTHENTICATION, **payment.MEANS},
            (*payment.UNSAID, *SAID_OF_THE_POINT),
        ),
    ],
)
def test_no_word_of_ocpi_is_forgotten(
    ocpi: object, known: dict[str, str], unsaid: tuple[str, ...]
) -> None:
    words = {str(getattr(one, "value", one)) for one in ocpi}  # type: ignore[attr-defined]
    assert words == {*known, *unsaid}
    assert not set(known) & set(unsaid)


def test_the_words_are_those_of_datex() -> None:
    assert set(connectors.TYPES.values()) <= set(CONNECTOR_TYPES)
    assert set(statuses.STATUSES.values()) <= set(STATUSES)
    assert set(payment.MEANS.values()) <= set(MEANS)
    assert set(payment.AUTHENTICATION.values()) <= set(AUTHENTICATION)
    assert set(surroundings.TYPES_OF_SITE.values()) <= set(SITES)
