"""Objects in a version: kept where somebody speaks it, made where not, the same either way."""

from __future__ import annotations

from typing import Any

import pytest

from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, party_key
from domain.objects.locations import owned_location
from domain.schemas import parse_datetime
from domain.versions import INNER_VERSION
from tests.domain.schemas.samples import evse, location
from tests.domain.views.conftest import HOLDER, World


def session(session_id: str, party: str = "TNM", **fields: Any) -> OwnedObject:
    at = "2026-03-01T12:00:00Z"
    inner = {
        "country_code": "BE",
        "party_id": "BEC",
        "id": session_id,
        "location_id": "LOC1",
        "evse_uid": "Evse-1",
        "last_updated": at,
        **fields,
    }
    return OwnedObject(
        "BE", "BEC", (session_id,), inner, parse_datetime(at), party_key("DE", party)
    )


def nines(rows: list[JsonObject]) -> list[tuple[str, str]]:
    return [(row["nine"], row["city"]) for row in rows]


@pytest.mark.parametrize("spoken", [True, False])
def test_a_reader_gets_his_form_whether_it_is_kept_or_not(world: World, spoken: bool) -> None:
    if spoken:
        world.comes_a_peer(HOLDER)
    world.publish_location("LOC1")
    world.publish_location("LOC2", city="Brugge")
    assert world.kept("locations") == [spoken, spoken]
    assert nines(world.listed("locations")) == [("LOC1", "Gent"), ("LOC2", "Brugge")]
    found = world.one("locations", "loc2")
    assert found is not None and nines([found]) == [("LOC2", "Brugge")]


def test_a_view_is_of_the_object_as_it_is_stamped(world: World) -> None:
    world.comes_a_peer(HOLDER)
    world.publish_location("LOC1")
    world.publish_location("LOC1", city="Brugge")
    (inner,) = world.listed("locations", INNER_VERSION)
    (row,) = world.listed("locations")
    assert (row["city"], row["at"]) == ("Brugge", inner["last_updated"])


def test_what_is_kept_and_what_is_not_stand_on_one_page_in_order(world: World) -> None:
    world.publish_location("LOC1")
    world.comes_a_peer(HOLDER)
    world.publish_location("LOC2")
    assert world.kept("locations") == [False, True]
    assert [row["nine"] for row in world.listed("locations")] == ["LOC1", "LOC2"]


@pytest.mark.parametrize("city", ["Nowhere", "Bug"])
def test_what_cannot_be_said_in_the_version_is_left_out(world: World, city: str) -> None:
    world.comes_a_peer(HOLDER)
    world.publish_location("LOC1", city=city)
    world.publish_location("LOC2")
    assert [row["nine"] for row in world.listed("locations")] == ["LOC2"]
    assert world.one("locations", "LOC1") is None
    assert world.number("locations") == 1
    assert len(world.listed("locations", INNER_VERSION)) == 2
    assert world.number("locations", INNER_VERSION) == 2

    world.publish_location("LOC1", city="Gent")
    assert [row["nine"] for row in world.listed("locations")] == ["LOC1", "LOC2"]
    assert world.number("locations") == 2


@pytest.mark.parametrize("spoken", [True, False])
def test_a_session_holds_the_location_where_it_took_place(world: World, spoken: bool) -> None:
    if spoken:
        world.comes_a_peer(HOLDER)
    world.publish_location("LOC1", evses=[evse()], city="Brugge")
    world.publish("sessions", session("S1"))
    assert world.kept("sessions") == [spoken]
    assert nines(world.listed("sessions")) == [("S1", "Brugge")]


def test_a_session_is_kept_in_the_versions_of_those_alone_who_may_read_it(world: World) -> None:
    world.comes_a_peer(HOLDER)
    world.publish_location("LOC1", evses=[evse()])
    world.publish("sessions", session("S1", "OTH"))
    world.publish("sessions", session("S2"))
    assert world.kept("sessions") == [False, True]


def test_the_inner_version_keeps_nothing_where_it_is_as_it_is(world: World) -> None:
    world.publish_location("LOC1")
    assert world.kept("locations") == [False]
    (row,) = world.listed("locations", INNER_VERSION)
    assert row == location(last_updated=row["last_updated"])


def test_the_order_of_fields_alone_makes_no_view(world: World) -> None:
    place = dict(reversed(location(evses=[evse()]).items()))
    world.publish("locations", owned_location(place))
    assert world.kept("locations") == [False]
    (row,) = world.listed("locations", INNER_VERSION)
    assert row == {**place, "last_updated": row["last_updated"]}
