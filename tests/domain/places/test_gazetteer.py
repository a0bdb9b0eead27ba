"""Places as operators type them: known ones are found, junk is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.places.countries import find_country
from domain.places.gazetteer import Place, distance_km, nearest_place, read_address
from domain.places.geonames import Country
from domain.schemas.types import known_time_zones
from tests.drawn import drawn


def find_place(
    text: str, *, country: Country | None = None, near: tuple[float, float] | None = None
) -> Place | None:
    address = read_address(text, country=country, near=near)
    return address.place if address else None


BERLIN = (52.524, 13.411)


@pytest.mark.parametrize(
    ("text", "city", "alpha3", "time_zone"),
    [
        ("Berlin", "Berlin", "DEU", "Europe/Berlin"),
        ("  bErLiN ", "Berlin", "DEU", "Europe/Berlin"),
        ("Berlin, Germany", "Berlin", "DEU", "Europe/Berlin"),
        ("Berlin, DE", "Berlin", "DEU", "Europe/Berlin"),
        ("Berlin, DEU", "Berlin", "DEU", "Europe/Berlin"),
        ("Berlin Germany", "Berlin", "DEU", "Europe/Berlin"),
        ("München", "Munich", "DEU", "Europe/Berlin"),
        ("munchen", "Munich", "DEU", "Europe/Berlin"),
        ("Munich, Bavaria, Germany", "Munich", "DEU", "Europe/Berlin"),
        ("Wien", "Vienna", "AUT", "Europe/Vienna"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch", "NLD", "Europe/Amsterdam"),
        ("東京", "Tokyo", "JPN", "Asia/Tokyo"),
        ("Singapore", "Singapore", "SGP", "Asia/Singapore"),
        ("Valencia, ES", "Valencia", "ESP", "Europe/Madrid"),
        ("Los Angeles, CA", "Los Angeles", "USA", "America/Los_Angeles"),
        ("Atlanta, Georgia", "Atlanta", "USA", "America/New_York"),
        ("London, Ontario, Canada", "London", "CAN", "America/Toronto"),
        ("Zuidlaren, NL", "Zuidlaren", "NLD", "Europe/Amsterdam"),
    ],
)
def test_a_place_is_found_by_the_names_people_use(
    text: str, city: str, alpha3: str, time_zone: str
) -> None:
    place = find_place(text)

    assert place is not None
    assert (place.city, place.country.alpha3, place.time_zone) == (city, alpha3, time_zone)


@pytest.mark.parametrize(
    ("text", "street", "postal_code", "city"),
    [
        ("Alexanderplatz 1, 10178 Berlin", "Alexanderplatz 1", "10178", "Berlin"),
        ("Alexanderplatz 1 10178 Berlin", "Alexanderplatz 1", "10178", "Berlin"),
        ("Plaza Mayor 1, Madrid, Spain", "Plaza Mayor 1", None, "Madrid"),
        ("Dam 1, 1012 JS Amsterdam, Netherlands", "Dam 1", "1012 JS", "Amsterdam"),
        ("10 Downing St, London SW1A 2AA", "10 Downing St", "SW1A 2AA", "London"),
        ("350 5th Ave, New York, NY 10118, USA", "350 5th Ave", "10118", "New York"),
        ("Marienplatz 8, 80331 München", "Marienplatz 8", "80331", "München"),
        ("10178, Berlin", None, "10178", "Berlin"),
    ],
)
def test_an_address_is_taken_apart(
    text: str, street: str | None, postal_code: str | None, city: str
) -> None:
    address = read_address(text)

    assert address is not None
    assert (address.street, address.postal_code, address.city) == (street, postal_code, city)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",,,", "Nowhere", "Atlantis", "Narnia", "asdfgh", "CP-001", "test", "10178"),
        *("12", "Germany", "DE", "Hauptstr. 5", "Berlin Hauptbahnhof", "Bar", "rest", "no", "ABC"),
        *("Garage level 2", "http://10.0.0.1", "x" * 5000, "Zuidlaren"),
        "Madrid, Germany",
    ],
)
def test_what_is_not_a_place_stays_unknown(text: str) -> None:
    assert find_place(text) is None


def test_a_name_that_is_also_a_word_counts_with_its_country() -> None:
    place = find_place("Bar, Montenegro")

    assert place is not None and place.country.alpha3 == "MNE"


def test_the_most_populous_place_is_meant_or_else_the_nearest() -> None:
    in_canada = (42.98, -81.25)

    famous, near = find_place("London"), find_place("London", near=in_canada)

    assert famous is not None and famous.country.alpha2 == "GB"
    assert near is not None and near.country.alpha2 == "CA"


def test_a_given_country_is_obeyed() -> None:
    spain = find_country("Spain")

    place = find_place("Valencia", country=spain)

    assert place is not None and place.country == spain
    assert find_place("Berlin", country=find_country("Japan")) is None


@pytest.mark.parametrize("text", ["DE", "de", "DEU", "Germany", "GERMANY", "Deutschland"])
def test_a_country_is_known_by_codes_and_name(text: str) -> None:
    country = find_country(text)

    assert country is not None
    assert (country.alpha2, country.alpha3, country.name) == ("DE", "DEU", "Germany")


def test_the_nearest_city_gives_the_time_zone_of_a_point() -> None:
    spain = find_country("ES")
    assert spain is not None

    canary_islands = nearest_place((28.3, -16.5), spain)

    assert canary_islands is not None and canary_islands.time_zone == "Atlantic/Canary"


def test_distances_are_great_circles() -> None:
    assert distance_km(BERLIN, BERLIN) == 0
    assert distance_km(BERLIN, (48.857, 2.351)) == pytest.approx(878, abs=3)


def test_every_time_zone_that_is_given_out_is_known_here() -> None:
    for text in ("Berlin", "Buenos Aires", "Kyiv", "Kolkata", "Ho Chi Minh City", "Nuuk"):
        place = find_place(text)
        assert place is not None and place.time_zone in known_time_zones()


@given(st.text(max_size=60) | st.lists(st.text(max_size=12), max_size=5).map(", ".join))
@settings(max_examples=drawn(70))
def test_any_text_is_read_without_an_error(text: str) -> None:
    address = read_address(text)

    assert address is None or address.place.country.alpha3.isupper()
