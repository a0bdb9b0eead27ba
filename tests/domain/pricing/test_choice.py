"""The tariff of a session follows from how it was started."""

from __future__ import annotations

from typing import Any

import pytest

from domain.pricing import choose_tariff
from tests.domain.pricing.sessions import at, component, element, tariff

NOW = at("2026-06-08 10:00")


def offer(id_: str, kind: str | None = None, **fields: Any) -> dict[str, Any]:
    return tariff(
        element(component("ENERGY", 1)), id=id_, **({"type": kind} if kind else {}), **fields
    )


ALL = [
    offer("any"),
    offer("regular", "REGULAR"),
    offer("ad-hoc", "AD_HOC_PAYMENT"),
    offer("cheap", "PROFILE_CHEAP"),
    offer("fast", "PROFILE_FAST"),
    offer("green", "PROFILE_GREEN"),
]


@pytest.mark.parametrize(
    ("started", "chosen", "fallback"),
    [
        ({}, "regular", "any"),
        ({"profile": "REGULAR"}, "regular", "any"),
        ({"profile": "CHEAP"}, "cheap", "any"),
        ({"profile": "FAST"}, "fast", "any"),
        ({"profile": "GREEN"}, "green", "any"),
        ({"ad_hoc": True}, "ad-hoc", "any"),
    ],
)
def test_the_type_fits_the_start(started: dict[str, Any], chosen: str, fallback: str) -> None:
    found = choose_tariff(ALL, NOW, **started)
    assert found is not None and found["id"] == chosen
    untyped = choose_tariff(ALL[:1], NOW, **started)
    assert untyped is not None and untyped["id"] == fallback


def test_a_preference_without_its_own_tariff_is_served_as_regular() -> None:
    found = choose_tariff(ALL[:3], NOW, profile="GREEN")
    assert found is not None and found["id"] == "regular"


def test_ad_hoc_payment_never_gets_a_contract_tariff() -> None:
    assert choose_tariff([ALL[1], ALL[3]], NOW, ad_hoc=True) is None


def test_validity_decides_and_the_newer_replaces_the_older() -> None:
    old = offer("old", end_date_time="2026-06-08T10:00:00Z")
    new = offer("new", start_date_time="2026-06-08T10:00:00Z")
    for moment, chosen in (("09:59", "old"), ("10:00", "new"), ("10:01", "new")):
        found = choose_tariff([old, new], at(f"2026-06-08 {moment}"))
        assert found is not None and found["id"] == chosen
    assert choose_tariff([old], at("2026-06-08 10:01")) is None
