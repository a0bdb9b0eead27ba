"""Commands in, answers out; each once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cpo_app.charge_point.commands import Command, CommandDesk, NotKept
from cpo_app.charge_point.evse import Evse, EvseConfig
from cpo_app.charge_point.journal import Journal
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.recorder import Recorder
from cpo_app.charge_point.timeline import Timeline
from tests.cpo_app.charge_point.worlds import FakeClock


class Desk:
    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.journal = Journal(path)
        self.recorder = Recorder(self.journal, Timeline(self.clock), lambda: None)
        config = EvseConfig(Car(60_000, 0.2, 50_000))
        self.evse = Evse(Supply(22_000, 230, 3), config, self.clock, self.recorder.emit)
        if memory := self.journal.state():
            self.evse.restore(memory)
        self.desk = CommandDesk(self.evse, self.recorder, self.clock, self.journal.answers())

    def do(self, kind: str, command_id: str = "", **fields: Any) -> dict[str, Any]:
        command_id = command_id or f"{kind}-{len(self.journal.answers())}"
        return self.desk.carry_out(
            Command.parse_obj({"command_id": command_id, "kind": kind, **fields})
        )

    def kinds(self) -> list[str]:
        batch = self.journal.batch(500)
        return [message["kind"] for message in batch[1]] if batch else []


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "engine.sqlite")
    yield desk
    desk.journal.close()


def test_every_kind_is_carried_out(desk: Desk) -> None:
    limit = {"unit": "A", "periods": [{"start_s": 0, "limit": 10}]}
    told = [
        desk.do("reserve", reservation_id="R1", id_tag="t", expiry="2024-05-01T13:00:00Z"),
        desk.do("cancel_reservation", reservation_id="R1"),
        desk.do("start", session_id="S1", id_tag="t", connector_id="1"),
        desk.do("limit", session_id="S1", limit=limit),
        desk.do("clear_limit", session_id="S1"),
        desk.do("get_status"),
        desk.do("stop", session_id="S1"),
        desk.do("unlock", connector_id="1"),
        desk.do("set_operative", operative=False),
        desk.do("set_operative", operative=True),
    ]
    assert [answer["result"] for answer in told] == ["ACCEPTED"] * 10
    assert [answer["status"]["state"] for answer in told] == [
        "RESERVED", "AVAILABLE", "CHARGING", "CHARGING", "CHARGING", "CHARGING", "FINISHING",
        "FINISHING", "INOPERATIVE", "PREPARING",
    ]  # fmt: skip


def test_a_limit_counts_from_the_start_of_charging_unless_it_says_when(desk: Desk) -> None:
    desk.do("start", session_id="S1")
    desk.clock.turn(100)
    periods = [{"start_s": 0, "limit": 6000}, {"start_s": 90, "limit": 3000}]
    desk.do("limit", session_id="S1", limit={"unit": "W", "periods": periods})
    assert desk.evse.power_w() == 3000


def test_the_same_command_again_gets_the_same_answer_and_does_nothing(desk: Desk) -> None:
    first = desk.do("start", command_id="C1", session_id="S1")
    desk.do("stop", session_id="S1")
    before = desk.kinds()
    assert desk.do("start", command_id="C1", session_id="S1") == first
    assert desk.kinds() == before
    assert desk.evse.session is None


def test_it_is_the_same_command_after_a_restart_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "engine.sqlite")
    first = desk.do("start", command_id="C1", session_id="S1")
    desk.journal.close()
    desk = Desk(tmp_path / "engine.sqlite")
    assert desk.do("start", command_id="C1", session_id="S1") == first
    assert desk.evse.session is not None
    assert desk.evse.session.session_id == "S1"
    desk.journal.close()


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("start", {}, "session_id is needed"),
        ("stop", {}, "session_id is needed"),
        ("reserve", {"reservation_id": "R1"}, "expiry is needed"),
        ("reserve", {"reservation_id": "R1", "expiry": "soon"}, "expiry is no ISO 8601 instant"),
        ("reserve", {"expiry": "2024-05-01T13:00:00Z"}, "reservation_id is needed"),
        ("limit", {"session_id": "S1"}, "limit: an object is needed"),
    ],
)
def test_an_incomplete_command_is_rejected_with_the_reason(
    desk: Desk, kind: str, fields: dict[str, Any], message: str
) -> None:
    answer = desk.do(kind, **fields)
    assert (answer["result"], answer["message"]) == ("REJECTED", message)
    assert desk.kinds() == []


def test_clearing_a_profile_that_was_never_set_is_told_apart(desk: Desk) -> None:
    assert desk.do("clear_limit", session_id="S1")["result"] == "UNKNOWN_SESSION"
    desk.do("start", session_id="S1")
    answer = desk.do("clear_limit", session_id="S1")
    assert (answer["result"], answer["message"]) == ("REJECTED", "NO_PROFILE")


def test_a_disk_that_refuses_neither_stops_the_charge_nor_loses_a_message(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise sqlite3.OperationalError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(desk.journal, "write", full)
        for _ in range(2):
            with pytest.raises(NotKept):
                desk.do("start", command_id="C1", session_id="S1")
        assert desk.evse.status()["state"] == "CHARGING"
        assert desk.kinds() == []
    assert desk.do("start", command_id="C1", session_id="S1")["result"] == "ACCEPTED"
    desk.do("stop", session_id="S1")
    assert desk.kinds() == [
        "session_started", "meter", "state", "meter", "session_stopped", "state",
    ]  # fmt: skip
    assert "C1" in desk.journal.answers()


def test_a_session_that_has_ended_is_not_one_that_nobody_heard_of(desk: Desk) -> None:
    desk.do("start", session_id="S1")
    desk.clock.turn(3600)
    desk.evse.unplug()
    told = desk.do("stop", command_id="C2", session_id="S1")
    batch = desk.journal.batch(500)
    assert batch is not None
    last = next(message for message in batch[1] if message["kind"] == "session_stopped")
    assert told["result"] == "UNKNOWN_SESSION"
    assert told["ended"] == {
        "energy_wh": 22_000.0,
        "at": "2024-05-01T13:00:00Z",
        "reason": "unplugged",
        "boot_id": batch[0],
        "seq": last["seq"],
    }
    never = desk.do("stop", session_id="S2")
    assert (never["result"], "ended" in never) == ("UNKNOWN_SESSION", False)


def test_a_stop_tells_what_it_stopped_and_a_new_start_of_the_engine_still_knows(
    desk: Desk, tmp_path: Path
) -> None:
    desk.do("start", session_id="S1")
    desk.clock.turn(360)
    ended = desk.do("stop", session_id="S1")["ended"]
    assert (ended["energy_wh"], ended["reason"]) == (2200.0, "remote")
    desk.journal.close()
    again = Desk(tmp_path / "engine.sqlite")
    assert again.do("stop", command_id="C9", session_id="S1")["ended"] == ended
    again.journal.close()
