"""Engines whose wall clock is wrong: the bill shows the true times and durations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cpo_app.central.conftest import World
from tests.cpo_app.central.test_charging import Charging


class WrongEngine(Charging):
    """Dates its messages by its own clock, `off_s` from ours, and says in each batch when that
    is now."""

    def __init__(self, world: World, off_s: float) -> None:
        super().__init__(world)
        self.off_s = off_s

    def at(self) -> str:
        own = self.world.clock.at + timedelta(seconds=self.off_s)
        return own.isoformat().replace("+00:00", "Z")

    def send(self, *messages: dict[str, Any], boot_id: str = "boot-1") -> dict[str, Any]:
        response = self.api.telemetry(self.token, *messages, boot_id=boot_id, sent_at=self.at())
        assert response.status_code == 200, response.text
        return response.json()


def times(cdr: dict[str, Any]) -> tuple[datetime, datetime, float]:
    begin, end = (
        datetime.fromisoformat(cdr[name].replace("Z", "+00:00"))
        for name in ("start_date_time", "end_date_time")
    )
    return begin, end, round(cdr["total_time"] * 3600)


@pytest.mark.parametrize("off_s", [-3600.0, 3600.0, -200.0, -86400.0 * 365 * 50])
def test_the_true_duration_at_the_true_time(world: World, off_s: float) -> None:
    charging = WrongEngine(world, off_s)
    session_id = charging.open()
    begin = world.clock.at
    charging.send(charging.began(session_id))
    world.clock.advance(900)
    charging.send(charging.metered(session_id, 2750))
    world.clock.advance(900)
    charging.send(charging.stopped(session_id, 5500))
    (cdr,) = charging.cdrs()
    assert times(cdr) == (begin, begin + timedelta(seconds=1800), 1800)
    assert world.document()["clock"]["offset_s"] == -off_s
    shown = charging.api.get("/cp").json()["charge_points"][0]
    assert shown["clock_offset_s"] == -off_s


def test_what_waited_for_days_keeps_its_true_distance(world: World) -> None:
    charging = WrongEngine(world, -3600)
    session_id = charging.open()
    begin = world.clock.at
    waiting = [charging.began(session_id)]
    world.clock.advance(1800)
    waiting += [charging.stopped(session_id, 5500)]
    world.clock.advance(3 * 86400)
    charging.send(*waiting)
    (cdr,) = charging.cdrs()
    assert times(cdr) == (begin, begin + timedelta(seconds=1800), 1800)


def test_an_engine_that_sets_its_clock_in_mid_session_and_dates_by_it(world: World) -> None:
    """Not ours: our engine dates by a line that nobody sets."""
    charging = WrongEngine(world, -3600)
    session_id = charging.open()
    begin = world.clock.at
    charging.send(charging.began(session_id))
    world.clock.advance(900)
    charging.off_s = 0
    charging.send(charging.metered(session_id, 2750))
    world.clock.advance(900)
    charging.send(charging.stopped(session_id, 5500))
    (cdr,) = charging.cdrs()
    assert times(cdr) == (begin, begin + timedelta(seconds=1800), 1800)
