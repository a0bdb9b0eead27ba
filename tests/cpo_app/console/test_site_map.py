"""The map of the sites: neighbours gathered, the worst shown, few enough circles to draw."""

from __future__ import annotations

import random

import pytest

from cpo_app.console.site_map import HEIGHT, WIDTH, Box, Towns, drawn
from domain.operator.sites_on_map import Place, Site
from domain.places.city_index import City


def site(name: str, latitude: float, longitude: float, state: str | None = None) -> Site:
    return Site(Place(f"key {name}", name, name, latitude, longitude), state, int(bool(state)))


def town(name: str, latitude: float, longitude: float, population: int = 20_000) -> City:
    return City(name, "DE", "", latitude, longitude, "Europe/Berlin", population)


def test_east_is_right_and_north_is_up() -> None:
    made = drawn([site("Oslo", 59.9, 10.7), site("Rome", 41.9, 12.5)], None, None)
    assert made is not None
    at = {circle.key: (circle.x, circle.y) for circle in made.circles}
    assert at["key Oslo"][0] < at["key Rome"][0]
    assert at["key Oslo"][1] < at["key Rome"][1]
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in at.values())


def test_neighbours_are_one_circle_with_the_worst_of_them_that_leads_to_its_part() -> None:
    near = [
        site("a", 52.5, 13.4),
        site("b", 52.501, 13.401, "UNKNOWN"),
        site("c", 52.502, 13.4, "OUTOFORDER"),
    ]
    far = site("far", 48.1, 11.6, "INOPERATIVE")
    made = drawn([*near, far], None, None)
    assert made is not None
    assert made.states == {"OUTOFORDER": 1, "UNKNOWN": 1, "INOPERATIVE": 1}
    alone, gathered = sorted(made.circles, key=lambda circle: circle.number)
    assert (alone.key, alone.box, alone.said) == ("key far", None, "far: INOPERATIVE")
    assert (gathered.number, gathered.state, gathered.key) == (3, "OUTOFORDER", None)
    assert gathered.said == "3 sites, 2 in trouble: c OUTOFORDER"

    assert gathered.box is not None
    nearer = drawn([*near, far], Box.of(gathered.box), None)
    assert nearer is not None
    assert (nearer.number, len(nearer.circles)) == (3, 3)


def test_ten_thousand_sites_are_a_few_hundred_circles() -> None:
    chance = random.Random(7)
    sites = [site(str(n), chance.uniform(47, 55), chance.uniform(6, 15)) for n in range(10_000)]
    made = drawn(sites, None, None)
    assert made is not None
    assert made.number == sum(circle.number for circle in made.circles) == 10_000
    assert len(made.circles) < 250


def test_the_largest_towns_in_sight_are_named_and_do_not_cover_each_other() -> None:
    sites = [site("a", 50, 8), site("b", 52, 12)]
    towns = [
        town("Beside", 51.01, 10.05),
        town("Away", 40, 0, 9_000_000),
        town("Größtstadt", 51, 10, 800_000),
        town("Ilm", 50.3, 11.5),
    ]
    made = drawn(sites, None, Towns(towns))
    assert made is not None
    assert [name.text for name in made.names] == ["Größtstadt", "Ilm"]
    assert 200 < made.km < 1000


def test_one_site_alone_is_a_map_and_none_is_none() -> None:
    made = drawn([site("a", 90, 180)], None, None)
    assert made is not None
    assert len(made.circles) == 1
    assert drawn([], None, None) is None
    assert drawn([site("a", 50, 8)], Box(0, 0, 1, 1), None) is None


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "1,2,0,3", "0,0,95,1", "nan,0,1,1"])
def test_what_is_no_box_is_none(text: str) -> None:
    assert Box.of(text) is None
