"""The simulated charge point itself, without a wire."""

from __future__ import annotations

from cpo_app.charge_point.evse import Result
from cpo_app.charge_point.ocpp.fleet import hardware
from cpo_app.charge_point.ocpp.memory import MemoryJournal
from cpo_app.charge_point.ocpp.station import Station
from tests.cpo_app.charge_point.worlds import FakeClock


def test_late_ticks_do_not_add_up_to_fewer_readings() -> None:
    clock, journal = FakeClock(), MemoryJournal()
    station = Station("CP-7", hardware(), journal, clock)
    station.configuration.values["MeterValueSampleInterval"] = "5"
    assert station.start(station.places[1], "s-1", "remote", "CARD") is Result.ACCEPTED

    for _ in range(300):
        clock.turn(1.04)
        station.tick()

    station.keep()
    _, messages = journal.batch(1000) or ("", [])
    readings = [message for message in messages if message["kind"] == "meter"]
    assert len(readings) == 300 * 1.04 // 5
