"""2.3.0's own: taxes, parking, open values; and what 2.2.1 makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.schemas import SchemaError
from domain.versions import INNER_VERSION, VERSIONS, Converted, Loss, ObjectKind
from tests.domain.schemas import samples

V = VERSIONS["2.3.0"]
PARKING = {
    "id": "P1",
    "vehicle_types": ["PERSONAL_VEHICLE", "DISABLED"],
    "restricted_to_type": False,
    "reservation_required": False,
}


def tariff(**fields: Any) -> dict[str, Any]:
    return samples.tariff(tax_included="YES", **fields)


def test_vat_is_the_one_tax_that_2_2_1_knows() -> None:
    ours = samples.cdr(total_cost={"excl_vat": 4.1, "incl_vat": 4.96})
    theirs = V.render(ObjectKind.CDR, ours)
    assert theirs.losses == ()
    assert theirs.object["total_cost"] == {
        "before_taxes": 4.1,
        "taxes": [{"name": "VAT", "amount": 0.86}],
    }
    assert V.read(ObjectKind.CDR, theirs.object) == Converted(ours)


def test_taxes_of_several_kinds_stay_and_2_2_1_is_told_their_sum() -> None:
    taxes = [
        {"name": "GST", "account_number": "1", "percentage": 5, "amount": 0.2},
        {"name": "QST", "amount": 0.4},
    ]
    theirs = {**V.render(ObjectKind.CDR, samples.cdr()).object}
    theirs["total_cost"] = {"before_taxes": 4.0, "taxes": taxes}
    ours = V.read(ObjectKind.CDR, theirs).object
    assert ours["total_cost"] == {"excl_vat": 4.0, "incl_vat": 4.6, "taxes": taxes}
    assert V.render(ObjectKind.CDR, ours) == Converted(theirs)
    shown = INNER_VERSION.render(ObjectKind.CDR, ours)
    assert shown.object["total_cost"] == {"excl_vat": 4.0, "incl_vat": 4.6}
    assert shown.losses == (Loss("total_cost.taxes", "OCPI 2.2.1 has no such field"),)


def test_a_tariff_says_whether_taxes_are_in_it() -> None:
    assert V.render(ObjectKind.TARIFF, samples.tariff()).object["tax_included"] == "NO"
    limits = {"before_taxes": 1, "after_taxes": 1.21}
    theirs = tariff(min_price=limits)
    ours = V.read(ObjectKind.TARIFF, theirs).object
    assert ours["min_price"] == {"excl_vat": 1, "incl_vat": 1.21}
    assert V.render(ObjectKind.TARIFF, ours) == Converted(theirs)


@pytest.mark.parametrize(
    ("vat", "price", "reason"),
    [
        (25, 0.2, "OCPI 2.2.1 has prices without taxes: computed by the VAT"),
        (
            None,
            0.25,
            "OCPI 2.2.1 has prices without taxes: where no VAT is given, they stay as they are",
        ),
    ],
)
def test_2_2_1_is_told_a_tariff_without_the_taxes_in_it(
    vat: int | None, price: float, reason: str
) -> None:
    component = {"type": "ENERGY", "price": 0.25, "step_size": 1}
    if vat is not None:
        component["vat"] = vat
    shown = INNER_VERSION.render(
        ObjectKind.TARIFF, tariff(elements=[{"price_components": [component]}])
    )
    assert shown.object["elements"][0]["price_components"][0]["price"] == price
    assert shown.losses == (Loss("tax_included", reason),)


def test_that_no_taxes_are_applicable_is_what_no_vat_says() -> None:
    ours = samples.tariff(tax_included="N/A")
    assert INNER_VERSION.render(ObjectKind.TARIFF, ours) == Converted(samples.tariff())


def test_parking_places_are_linked_to_evses() -> None:
    link = {"parking_id": "p1", "evse_position": "LEFT"}
    given = samples.location(evses=[samples.evse(parking=[link])], parking_places=[PARKING])
    assert V.read(ObjectKind.LOCATION, given) == Converted(given)
    for wrong, reason in (
        ({"parking_places": None}, "an EVSE's parking_id is none of the parking places"),
        (
            {"parking_places": [PARKING, {**PARKING, "id": "p1"}]},
            "two parking places of one location have the same id",
        ),
    ):
        with pytest.raises(SchemaError, match=reason):
            V.read(ObjectKind.LOCATION, {**given, **wrong})


def test_2_2_1_is_told_a_location_without_what_it_has_no_word_for() -> None:
    connectors = [
        samples.connector(id="1", standard="MCS"),
        samples.connector(id="2", standard="SAE_J3400", capabilities=["ACME"]),
    ]
    evse = samples.evse(
        connectors=connectors,
        parking_restrictions=["TAXIS", "EV_ONLY"],
        accepted_service_providers=["Example eMSP"],
    )
    given = samples.location(evses=[evse], help_phone="+32 9 1", parking_places=[PARKING])
    shown = INNER_VERSION.render(ObjectKind.LOCATION, given)
    assert shown.object == samples.location(
        evses=[
            samples.evse(
                connectors=[samples.connector(id="2", standard="TESLA_S")],
                parking_restrictions=["EV_ONLY"],
            )
        ]
    )
    assert {loss.path for loss in shown.losses} == {
        "help_phone",
        "parking_places",
        "evses.0.accepted_service_providers",
        "evses.0.parking_restrictions.0",
        "evses.0.connectors.0",
        "evses.0.connectors.1.standard",
        "evses.0.connectors.1.capabilities",
    }


def test_a_hub_names_itself_in_hub_party_id() -> None:
    ours = samples.credentials()
    ours["roles"] = [{**ours["roles"][0], "role": "HUB"}]
    theirs = V.render(ObjectKind.CREDENTIALS, ours)
    assert theirs.losses == ()
    assert theirs.object["hub_party_id"] == "NLEXA"
    assert [role["role"] for role in theirs.object["roles"]] == ["OTHER"]
    assert V.read(ObjectKind.CREDENTIALS, theirs.object) == Converted(ours)


def test_a_hub_that_lists_its_clients_alone_is_still_named() -> None:
    theirs = {**samples.credentials(), "hub_party_id": "NLHUB"}
    assert V.read(ObjectKind.CREDENTIALS, theirs) == Converted(theirs)
    with pytest.raises(SchemaError, match="hub_party_id"):
        V.read(ObjectKind.CREDENTIALS, {**theirs, "hub_party_id": "N1HUB"})
