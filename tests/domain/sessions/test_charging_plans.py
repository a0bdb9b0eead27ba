"""Plans for drivers who prefer CHEAP: kept, whatever the car draws, as long as they can be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cpo_app.charge_point.ocpp.limits import Stack, read_profile
from cpo_app.charge_point.power import Supply as SimulatedSupply
from domain.ocpp.profiles import Supply, schedule_of
from domain.sessions import charging_plans
from domain.sessions.charging_plans import best_effort, is_the_same, plan_of
from domain.sessions.session_document import ChargingPlan, ChargingSession
from tests.domain.sessions.worlds import TOKEN, element, tariff

NOW = datetime(2025, 5, 5, 18, 0, tzinfo=timezone.utc)  # 20:00 in Amsterdam
MORNING = NOW + timedelta(hours=11)
NIGHT = NOW + timedelta(hours=3), NOW + timedelta(hours=9)
TARIFF = tariff(
    "CHEAP",
    element("ENERGY", 0.2, start_time="23:00", end_time="05:00"),
    element("ENERGY", 0.5),
    type="PROFILE_CHEAP",
)
CONNECTOR = {"power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32}


def session(**more: Any) -> ChargingSession:
    known: dict[str, Any] = {
        "_id": "S-1",
        "tariffs": [TARIFF],
        "token": TOKEN,
        "time_zone": "Europe/Amsterdam",
        "max_power_w": 22_000,
        "started": NOW,
        "created": NOW,
        "energy_wh": 0.0,
        "power_w": None,
        "preferences": wish(30),
        **more,
    }
    return known  # type: ignore[return-value]


def wish(kwh: float, departure: datetime = MORNING) -> dict[str, Any]:
    return {
        "profile_type": "CHEAP",
        "departure_time": departure.isoformat().replace("+00:00", "Z"),
        "energy_need": kwh,
    }


def planned(known: ChargingSession, at: datetime = NOW) -> ChargingPlan:
    found = plan_of(known, known["preferences"], at)
    assert found is not None
    return found


class Car:
    """At a station that obeys the plan as OCPP tells it, minute by minute."""

    def __init__(self, known: ChargingSession, draws_w: float) -> None:
        self.session = known
        self.draws_w = draws_w
        self.by_night_wh = 0.0
        self.told = 0

    def obey(self, plan: ChargingPlan) -> None:
        self.session["plan"] = plan
        schedule = schedule_of(plan["charging_profile"], Supply.of(CONNECTOR), ["A"])
        assert schedule is not None
        told = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": schedule.kind,
        }
        self.stack = Stack()
        self.stack.put(read_profile(told, schedule.as_ocpp(), 1, "S-1"))
        self.told += 1

    def minute(self, at: datetime) -> None:
        supply = SimulatedSupply(max_w=22_000, voltage_v=230, phases=3, dc=False)
        limit = self.stack.limit("S-1", 1, NOW, at, supply)
        allowed = None if limit is None else limit.at(at)
        power_w = min(self.draws_w, 22_000 if allowed is None else allowed)
        self.session["power_w"] = power_w
        self.session["energy_wh"] += power_w / 60
        if NIGHT[0] <= at < NIGHT[1]:
            self.by_night_wh += power_w / 60

    def stay(self, until: datetime) -> None:
        """As the sweeper looks at its plan."""
        at = NOW
        while at < until:
            plan = self.session.get("plan")
            if plan is not None and plan["look_at"] <= at:
                anew = best_effort(self.session, at)
                if anew is None:
                    del self.session["plan"]
                elif is_the_same(plan, anew, at):
                    plan["look_at"] = anew["look_at"]
                else:
                    self.obey(anew)
            self.minute(at)
            at += timedelta(minutes=1)


@pytest.mark.parametrize("draws_w", [22_000, 11_000, 7_400, 3_700])
def test_the_energy_is_there_at_the_departure_and_cheap(draws_w: float) -> None:
    car = Car(session(preferences=wish(20)), draws_w)
    car.obey(planned(car.session))
    car.stay(MORNING)
    charged_kwh = car.session["energy_wh"] / 1000
    assert 20 <= charged_kwh <= 20.8
    # What it charged by day was for finding out what it draws.
    assert charged_kwh - car.by_night_wh / 1000 <= 22 * 6 / 60
    assert car.told <= 12


def test_a_car_that_draws_too_little_for_the_night_charges_by_day_as_well() -> None:
    car = Car(session(preferences=wish(30)), 3_700)
    car.obey(planned(car.session))
    car.stay(MORNING)
    assert 30 <= car.session["energy_wh"] / 1000 <= 31
    assert car.by_night_wh / 1000 == pytest.approx(3.7 * 6, abs=0.1)


def test_a_car_that_cannot_be_served_any_more_charges_without_a_pause() -> None:
    known = session(preferences=wish(60), power_w=11_000.0)
    car = Car(known, 3_700)
    car.obey(planned(known))
    car.stay(MORNING)
    # From the beginning of the night on, when it drew a third of what it had drawn before.
    assert car.session["energy_wh"] / 1000 == pytest.approx(3.7 * 8, abs=0.5)


def test_what_cannot_be_done_has_no_plan() -> None:
    known = session()
    assert plan_of(known, wish(250), NOW) is None
    assert plan_of(known, wish(1, NOW), NOW) is None
    assert plan_of(session(max_power_w=None), wish(10), NOW) is None
    assert plan_of(session(tariffs=[]), wish(10), NOW) is None
    assert plan_of(session(power_w=3_700.0), wish(45), NOW) is None


def test_who_has_got_what_was_asked_for_is_let_charge_no_more() -> None:
    plan = planned(session(energy_wh=30_000.0, power_w=11_000.0))
    assert plan["spans"] == [] and plan["look_at"] == MORNING
    assert plan["charging_profile"] == {
        "start_date_time": "2025-05-05T18:00:00Z",
        "duration": 11 * 3600,
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": 0}],
    }


def test_a_car_whose_power_is_not_known_charges_first() -> None:
    first, night = planned(session())["spans"]
    assert (first["start"], first["end"]) == (NOW, NOW + charging_plans.PROBE)
    assert night["start"] == NIGHT[0]
    assert [span["start"] for span in planned(session(power_w=11_000.0))["spans"]] == [NIGHT[0]]


def test_after_the_departure_there_is_no_plan() -> None:
    known = session(plan=planned(session()))
    assert best_effort(known, MORNING) is None
