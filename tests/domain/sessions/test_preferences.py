"""Charging preferences: every answer of the enum, who may set them, and what they change."""

from __future__ import annotations

from typing import Any

import pytest

from crud.sessions import Sessions
from db_interface.database import Database
from domain.sessions.charging_preferences import PreferencesNotSupported
from domain.visibility import Reader
from tests.conftest import Loop
from tests.domain.sessions.worlds import World, element, reading, tariff

MSP = Reader(parties=("de*msp",))
CAPABLE = {"capabilities": ["CHARGING_PREFERENCES_CAPABLE"]}
TARIFFS = (
    tariff("DAILY", element("ENERGY", 0.5), type="REGULAR"),
    tariff("CHEAP", element("ENERGY", 0.2), type="PROFILE_CHEAP"),
    tariff("FAST", element("ENERGY", 0.9), type="PROFILE_FAST"),
)
SOON = "2025-05-05T16:30:00Z"


def put(world: World, session_id: str, reader: Reader = MSP, **wish: Any) -> str | None:
    sessions = Sessions(world.store)
    return world.loop.run(sessions.update(wish, session_id, reader=reader))


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, *TARIFFS, **CAPABLE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({"profile_type": "FAST"}, "ACCEPTED"),
        ({"profile_type": "REGULAR"}, "ACCEPTED"),
        ({"profile_type": "GREEN"}, "PROFILE_TYPE_NOT_SUPPORTED"),
        ({"profile_type": "CHEAP"}, "DEPARTURE_REQUIRED"),
        ({"profile_type": "CHEAP", "departure_time": SOON}, "ENERGY_NEED_REQUIRED"),
        ({"profile_type": "CHEAP", "departure_time": SOON, "energy_need": 30}, "ACCEPTED"),
        ({"profile_type": "CHEAP", "departure_time": SOON, "energy_need": 60}, "NOT_POSSIBLE"),
        ({"profile_type": "FAST", "departure_time": "2025-05-05T14:00:00Z"}, "NOT_POSSIBLE"),
    ],
)
def test_each_answer(world: World, wish: dict[str, Any], answer: str) -> None:
    session_id = world.open()
    world.begin(session_id)
    assert put(world, session_id, **wish) == answer
    assert world.inner(session_id).get("preferences") == (wish if answer == "ACCEPTED" else None)


def test_an_accepted_profile_is_charged_under_its_tariff_from_then_on(world: World) -> None:
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(10, 1000.0))
    assert put(world, session_id.upper(), profile_type="FAST") == "ACCEPTED"
    world.meter(session_id, reading(20, 2000.0))
    world.meter(session_id, reading(30, 3000.0))
    world.end(session_id, 30, 3000.0)
    [cdr] = world.cdrs()
    assert [p["tariff_id"] for p in cdr["charging_periods"]] == ["DAILY", "FAST"]
    assert [t["id"] for t in cdr["tariffs"]] == ["DAILY", "FAST"]
    # 2 kWh before the first meter value under the wish, 1 kWh after it.
    assert cdr["total_cost"]["excl_vat"] == pytest.approx(2 * 0.5 + 1 * 0.9)


def test_a_foreign_or_unknown_session_is_not_there(world: World) -> None:
    session_id = world.open()
    stranger = Reader(parties=("de*oth",))
    assert put(world, session_id, stranger, profile_type="FAST") is None
    assert put(world, "unknown", profile_type="FAST") is None
    assert "preferences" not in world.inner(session_id)


def test_a_session_that_is_over_takes_none(world: World) -> None:
    session_id = world.open()
    world.begin(session_id)
    world.end(session_id, 30, 1.0)
    assert put(world, session_id, profile_type="FAST") == "NOT_POSSIBLE"


def test_an_evse_without_the_capability_says_so(db: Database, loop: Loop) -> None:
    world = World(db, loop, *TARIFFS)
    session_id = world.open()
    with pytest.raises(PreferencesNotSupported) as refusal:
        put(world, session_id, profile_type="FAST")
    assert (refusal.value.http_status, refusal.value.status_code) == (404, 2001)
