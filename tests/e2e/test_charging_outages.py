"""What is killed in the middle of a charge: Central, or the charge point. Nothing is lost or
billed twice, and nobody waits for an answer that does not come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from tests.conftest import Loop
from tests.e2e.charging_system import CP, PLACE, ChargingSystem, charging_system
from tests.e2e.emsp import moment
from tests.e2e.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

AWAIT_S, SWEEP_AFTER_S = 2, 4


@pytest.fixture(scope="module")
def system(
    loop: Loop, tmp_path_factory: pytest.TempPathFactory, module_store_url: str
) -> Iterator[ChargingSystem]:
    directory = tmp_path_factory.mktemp("outages")
    settings = {
        "COMMAND_AWAIT_TIME": str(AWAIT_S),
        "CENTRAL_SWEEP_AFTER_S": str(SWEEP_AFTER_S),
    }
    with charging_system(loop, directory, module_store_url, settings) as system:
        yield system


@pytest.fixture(autouse=True)
def _no_complaints(system: ChargingSystem) -> Iterator[None]:
    yield
    assert not system.first.server.complaints
    assert "Traceback" not in system.central.output + system.engine.output


def test_central_is_killed_and_the_same_session_goes_on(system: ChargingSystem) -> None:
    emsp = system.first
    # Given a session whose car still has room for 1 kWh
    token = emsp.push_token("CARD-ON")
    system.at_charge_point("plug", battery_kwh=2, soc=50)
    start = emsp.command("START_SESSION", token=token, **PLACE)
    assert start.result == {"result": "ACCEPTED"}
    before = emsp.session("ACTIVE", kwh=0.001)
    session_id = before["id"]
    waited = system.engine_health()["waiting_messages"]

    # When Central dies, and the car is full while it is away
    system.central.kill()
    killed = datetime.now(timezone.utc)
    system.at_charge_point("speed", factor=100_000)
    eventually(lambda: system.engine_health()["state"] == "SUSPENDED", what="a full car")
    system.at_charge_point("speed", factor=1)
    eventually(lambda: system.engine_health()["waiting_messages"] > waited + 5)

    # And comes back
    back = datetime.now(timezone.utc)
    system.central.start()
    system.ready()

    # Then the same session has all its energy, and when it was charged: each meter value has
    # arrived in its place
    after = emsp.session("ACTIVE", session_id, kwh=1)
    eventually(lambda: system.engine_health()["waiting_messages"] <= 1, what="all delivered")
    assert after["kwh"] == 1 and after["start_date_time"] == before["start_date_time"]
    charged, parked = after["charging_periods"]
    assert charged["start_date_time"] == before["start_date_time"]
    assert {row["type"]: row["volume"] for row in charged["dimensions"]}["ENERGY"] == 1
    assert killed <= moment(parked["start_date_time"]) <= back
    assert [row["type"] for row in parked["dimensions"]] == ["PARKING_TIME"]
    assert [row["id"] for row in emsp.all("sessions")] == [session_id]
    assert emsp.evse_status(CP, CP) == "CHARGING"

    # And it ends as any other, with one CDR
    assert emsp.command("STOP_SESSION", session_id=session_id).result == {"result": "ACCEPTED"}
    ended, cdr = emsp.session("COMPLETED", session_id), emsp.cdr_of(session_id)
    assert cdr["total_energy"] == 1 and cdr["total_cost"] == ended["total_cost"]
    assert cdr["total_cost"]["excl_vat"] >= 1.5  # 1.00, 1 kWh at 0.50, and the parking time
    system.at_charge_point("unplug")
    system.evse_is("AVAILABLE")
    assert emsp.all("cdrs") == [cdr] and emsp.times_told(cdr) == 1
    kwh = [one["kwh"] for one in emsp.course(session_id)]
    assert kwh == sorted(kwh)


def test_central_is_killed_and_finds_the_session_ended(system: ChargingSystem) -> None:
    emsp = system.first
    emsp.push_token("CARD-GONE", whitelist="ALWAYS")
    system.at_charge_point("plug")
    session_id = system.swipe("CARD-GONE")["session_id"]
    emsp.session("ACTIVE", session_id, kwh=0.001)

    # When the driver stops and leaves while Central is away
    system.central.kill()
    killed = datetime.now(timezone.utc)
    assert system.swipe("CARD-GONE")["result"] == "ACCEPTED"
    system.at_charge_point("unplug")
    back = datetime.now(timezone.utc)
    system.central.start()
    system.ready()

    # Then it has ended when he stopped it, for the same money once
    ended, cdr = emsp.session("COMPLETED", session_id), emsp.cdr_of(session_id)
    assert killed <= moment(ended["end_date_time"]) <= back
    assert cdr["end_date_time"] == ended["end_date_time"] and cdr["remark"] == "ended: local"
    system.evse_is("AVAILABLE")
    assert emsp.times_told(cdr) == 1


def test_the_charge_point_is_gone(system: ChargingSystem) -> None:
    emsp = system.first
    token = emsp.push_token("CARD-LOST")
    start = emsp.command("START_SESSION", token=token, **PLACE)
    assert start.result == {"result": "ACCEPTED"}
    running = emsp.session("ACTIVE", kwh=0.001)
    session_id = running["id"]

    # When engine and monitor die, a command is answered on time all the same
    system.engine.kill()
    system.monitor.kill()
    stop = emsp.command("STOP_SESSION", session_id=session_id)
    assert stop.accepted and stop.answer.data["timeout"] == AWAIT_S
    assert stop.result == {"result": "TIMEOUT"}
    assert stop.took_s <= AWAIT_S + 6  # a busy machine is late
    system.evse_is("UNKNOWN")

    # And for longer than every limit the session stays as it is: nobody knows, nothing is billed
    system.session_is_suspect(session_id)
    [shown] = [row for row in emsp.all("sessions") if row["id"] == session_id]
    assert shown["status"] == "ACTIVE" and shown["kwh"] >= running["kwh"]
    assert [row for row in emsp.all("cdrs") if row["session_id"] == session_id] == []

    # Back again, the charge point goes on with it, and its own word ends it, once
    system.engine.start()
    system.monitor.start()
    system.evse_is("CHARGING")
    assert emsp.session("ACTIVE", session_id)["start_date_time"] == running["start_date_time"]
    ending = emsp.command("STOP_SESSION", session_id=session_id)
    assert ending.result == {"result": "ACCEPTED"}
    ended, cdr = emsp.session("COMPLETED", session_id), emsp.cdr_of(session_id)
    assert cdr["total_energy"] == ended["kwh"] >= running["kwh"]
    assert cdr["total_cost"] == ended["total_cost"] and emsp.times_told(cdr) == 1
    system.evse_is("AVAILABLE")  # the simulated driver takes the car away
    again = emsp.command("START_SESSION", token=token, **PLACE)
    assert again.result == {"result": "ACCEPTED"}
    next_one = emsp.session("ACTIVE")
    assert next_one["id"] != session_id
    assert emsp.command("STOP_SESSION", session_id=next_one["id"]).result["result"] == "ACCEPTED"
