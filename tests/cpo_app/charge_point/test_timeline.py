"""What the engine's messages are dated by, whatever happens to its wall clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cpo_app.charge_point.journal import Journal
from cpo_app.charge_point.recorder import Recorder
from cpo_app.charge_point.timeline import Timeline
from tests.cpo_app.charge_point.worlds import NOON, FakeClock


def after(seconds: float) -> Any:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("set_by_s", [-3600, 3600, 86400 * 365])
def test_a_wall_clock_that_is_set_moves_no_message(tmp_path: Path, set_by_s: float) -> None:
    clock = FakeClock()
    journal = Journal(tmp_path / "engine.sqlite")
    recorder = Recorder(journal, Timeline(clock), lambda: None)
    recorder.emit("session_started", {})
    clock.turn(600)
    clock.wall_off_s = set_by_s
    clock.turn(1200)
    stopped = {"session_id": "S1", "energy_wh": 1.0, "reason": "local"}
    recorder.emit("session_stopped", stopped)
    recorder.commit({})
    batch = journal.batch(10)
    journal.close()
    assert batch is not None
    assert [message["at"] for message in batch[1]] == [
        "2024-05-01T12:00:00Z",
        "2024-05-01T12:30:00Z",
    ]


def test_the_line_is_on_disk_with_each_change(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.wall_off_s = 3600
    journal = Journal(tmp_path / "engine.sqlite")
    recorder = Recorder(journal, Timeline(clock, host_boot="one"), lambda: None)
    recorder.emit("meter", {})
    recorder.commit({"session": None})
    state = journal.state()
    journal.close()
    assert state is not None

    # When the host is started with a clock that is right, and the message still waits
    clock.turn(600)
    clock.wall_off_s = 0
    line = Timeline(clock, state["timeline"], host_boot="one")

    # Then the line goes on: what waits and what is said now are as far apart as they were
    assert line.now() == after(3600 + 600)


def test_a_restart_on_a_host_that_ran_on_keeps_the_distance() -> None:
    clock = FakeClock()
    line = Timeline(clock, host_boot="b1")
    clock.turn(100)
    kept = line.kept()
    clock.turn(50)
    clock.wall_off_s = -7200
    again = Timeline(clock, kept, host_boot="b1")
    assert again.now() == after(150)
    clock.turn(10)
    assert again.now() == after(160)


def test_after_a_power_cut_the_wall_clock_tells_how_long_it_was() -> None:
    clock = FakeClock()
    line = Timeline(clock, host_boot="b1")
    clock.turn(100)
    clock.wall_off_s = 3600  # it was set while the engine ran: the line did not follow
    kept = line.kept()
    fresh = FakeClock()
    fresh.wall_off_s = 100 + 3600 + 500  # the monotonic clock began anew, 500 s later
    assert Timeline(fresh, kept, host_boot="b2").now() == after(600)
    # A host without a clock of its own wakes up in the past: the line does not.
    fresh.wall_off_s = -86400 * 365
    assert Timeline(fresh, kept, host_boot="b2").now() == after(100)


@pytest.mark.parametrize("kept", [{}, {"at": "x", "wall": "y", "monotonic": 1}, {"at": 5}])
def test_an_unusable_memory_is_no_memory(kept: dict[str, Any]) -> None:
    assert Timeline(FakeClock(), kept).now() == NOON
