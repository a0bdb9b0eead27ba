"""Tariffs as whoever pays on the spot reads them in DATEX II."""

from __future__ import annotations

from typing import Any

import pytest

from db_interface.json_data import JsonObject
from domain.datex.prices import prices_of
from domain.datex.rates import Tariffs
from tests.domain.schemas.samples import connector, evse, location, tariff

HERE = "Europe/Amsterdam"


def prices(*components: JsonObject, **fields: Any) -> list[JsonObject]:
    elements = [{"price_components": [{"step_size": 1, **one} for one in components]}]
    return prices_of(tariff(elements=elements, **fields), HERE)


def only(component: JsonObject, **fields: Any) -> JsonObject:
    (price,) = prices(component, **fields)
    return price


@pytest.mark.parametrize(
    ("component", "fields", "said"),
    [
        ({"price": 0.2893, "vat": 21}, {}, (0.35, True, 21.0)),
        ({"price": 0.35, "vat": 21}, {"tax_included": "YES"}, (0.35, True, 21.0)),
        ({"price": 0.35}, {"tax_included": "YES"}, (0.35, True, None)),
        ({"price": 0.35}, {"tax_included": "N/A"}, (0.35, True, 0.0)),
        ({"price": 0.35}, {}, (0.35, False, None)),
    ],
)
def test_a_price_has_its_tax_in_it_where_that_is_known(
    component: JsonObject, fields: JsonObject, said: tuple[float, bool, float | None]
) -> None:
    price = only({"type": "ENERGY", **component}, **fields)
    assert (price["value"], price["taxIncluded"], price.get("taxRate")) == said
    assert "additionalInformation" not in price


@pytest.mark.parametrize(
    ("component", "kind", "value", "words"),
    [
        ({"type": "ENERGY", "price": 0.3457}, "pricePerKWh", 0.35, "Exactly 0.3457 EUR per kWh."),
        ({"type": "ENERGY", "price": 0.345}, "pricePerKWh", 0.35, "Exactly 0.345 EUR per kWh."),
        ({"type": "FLAT", "price": 2}, "flatRate", 2.0, None),
        ({"type": "TIME", "price": 3}, "pricePerMinute", 0.05, "While charging."),
        (
            {"type": "PARKING_TIME", "price": 2},
            "pricePerMinute",
            0.03,
            "While connected without charging. Exactly 0.0333 EUR per minute.",
        ),
    ],
)
def test_what_cents_do_not_say_words_do(
    component: JsonObject, kind: str, value: float, words: str | None
) -> None:
    price = only(component)
    assert (price["priceType"]["value"], price["value"]) == (kind, value)
    said = price.get("additionalInformation", {"values": [{"value": None}]})
    assert said["values"][0]["value"] == words


def test_a_fee_beside_other_prices_is_no_flat_rate() -> None:
    said = prices({"type": "ENERGY", "price": 0.3}, {"type": "FLAT", "price": 1})
    assert [price["priceType"]["value"] for price in said] == ["pricePerKWh", "basePrice"]


def test_free_is_said_so() -> None:
    said = prices({"type": "ENERGY", "price": 0}, {"type": "FLAT", "price": 0})
    assert [price["priceType"]["value"] for price in said] == ["free"]


@pytest.mark.parametrize(
    ("types", "chosen"),
    [
        ({"A": "AD_HOC_PAYMENT", "B": None, "C": "REGULAR"}, ["A"]),
        ({"A": "REGULAR", "B": None, "C": None}, ["B", "C"]),
        ({"A": "REGULAR", "B": "PROFILE_CHEAP"}, []),
    ],
)
def test_who_pays_on_the_spot_has_the_tariff_that_is_for_it(
    types: dict[str, str | None], chosen: list[str]
) -> None:
    mine = {"country_code": "BE", "party_id": "BEC"}
    known = [
        tariff(id=id_, **mine, **({"type": kind} if kind else {})) for id_, kind in types.items()
    ]
    others = [tariff(id="A", country_code="DE", party_id="ALL", type="AD_HOC_PAYMENT")]
    its = evse(connectors=[connector(tariff_ids=[id_.lower() for id_ in types] + ["unknown"])])
    found = Tariffs([*others, *known]).ad_hoc(its, location())
    assert [(one["party_id"], one["id"]) for one in found] == [("BEC", id_) for id_ in chosen]
