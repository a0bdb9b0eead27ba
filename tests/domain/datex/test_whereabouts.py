"""Where a site is, beyond its coordinates."""

from __future__ import annotations

import pytest

from domain.datex.organisations import operator_of
from domain.datex.publisher import Publisher
from domain.datex.whereabouts import offset_of, place_of
from tests.domain.schemas.samples import location


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("Europe/Berlin", "+01:00"),
        ("Europe/Lisbon", "+00:00"),
        ("America/New_York", "-05:00"),
        ("Asia/Kolkata", "+05:30"),
        ("Australia/Sydney", "+10:00"),
        ("Europe/Nowhere", None),
    ],
)
def test_an_offset_is_the_one_without_daylight_saving(zone: str, offset: str | None) -> None:
    assert offset_of(zone) == offset


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [
        ("DE", "Nordrhein-Westfalen", "DEA"),
        ("DE", " by ", "DE2"),
        ("DE", "DE-SN", "DED"),
        ("DE", "somewhere", None),
        ("DE", None, None),
        ("NL", "Berlin", None),
    ],
)
def test_the_code_of_a_german_state(country: str, state: str | None, code: str | None) -> None:
    point = place_of(location(**({"state": state} if state else {})), country, "de")
    facility = point["locPointLocation"]["locLocationExtensionG"]["FacilityLocation"]
    assert facility["address"]["countryCode"] == country
    assert [one["nutsCode"] for one in facility.get("nutsArea", ())] == ([code] if code else [])


def test_who_operates_where_the_location_does_not_say_it() -> None:
    made = operator_of(location(), Publisher("BE", "BE-BEC", operator="The platform"))
    assert made is not None
    known = made["afacAnOrganisation"]
    assert known["name"] == known["legalName"]
    assert known["name"]["values"] == [{"lang": "en", "value": "The platform"}]
    assert [one["identifier"] for one in known["externalIdentifier"]] == ["BE*BEC"]
    assert operator_of(location(), Publisher("BE", "BE-BEC")) is None
