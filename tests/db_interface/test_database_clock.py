"""The database's clock, out of its answers: late ones do not put it back, a set one is followed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from db_interface import database_clock
from db_interface.database_clock import DatabaseClock

SERVER = ("mongo", 27017)
THEN = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


def at(seconds: float) -> datetime:
    return THEN + timedelta(seconds=seconds)


@pytest.fixture
def uptime(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """This host's uptime, in its only place."""
    now = [1000.0]
    monkeypatch.setattr(database_clock, "uptime_s", lambda: now[0])
    return now


def test_an_answer_that_was_read_late_puts_nothing_back(uptime: list[float]) -> None:
    clock = DatabaseClock()
    clock.heard(SERVER, at(0), 1000)
    clock.heard(SERVER, at(2), 1012)  # the process was stopped for ten seconds
    uptime[0] = 1013
    assert clock.now() == at(13)
    clock.heard(SERVER, at(14), 1014)
    assert clock.now() == at(13)


def test_a_database_whose_clock_was_set_back_is_followed(uptime: list[float]) -> None:
    clock = DatabaseClock()
    clock.heard(SERVER, at(0), 1000)
    clock.heard(SERVER, at(-3600 + 2), 1002)
    clock.heard(SERVER, at(-3600 + 4), 1004)
    uptime[0] = 1005
    assert clock.now() == at(-3600 + 5)


def test_other_answers_make_it_better_and_never_worse(uptime: list[float]) -> None:
    clock = DatabaseClock()
    assert clock.told(at(0), 1000) == 0  # nothing is known of that server yet
    clock.heard(SERVER, at(0), 1000.5)
    assert clock.told(at(10), 1010) == pytest.approx(0.5)
    assert clock.told(at(11), 1012) == 0
    uptime[0] = 1013
    assert clock.now() == at(13)
