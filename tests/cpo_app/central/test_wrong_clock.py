"""A host whose wall clock is wrong: it says so, is not ready, and harms nobody."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import pytest

from db_interface.clocks import uptime_s
from tests.clock import SERVER, WrongClock, told_the_time
from tests.cpo_app.central.conftest import World


@pytest.mark.parametrize(
    ("off_s", "said"), [(75, "75.0 s ahead of"), (-75, "75.0 s behind"), (1.5, None)]
)
def test_a_host_that_is_off_says_so_and_is_not_ready(
    world: World, caplog: pytest.LogCaptureFixture, off_s: float, said: str | None
) -> None:
    caplog.set_level(logging.INFO, "cpo.store")
    host = WrongClock(timedelta(seconds=off_s))
    world.db.clock = clock = told_the_time(host)
    api = world.api()
    world.loop.run(api.central.start())
    for _ in range(3):
        clock.heard(SERVER, datetime.now(timezone.utc), uptime_s())

    lines = [line for line in caplog.messages if "this host's clock" in line]
    missing = api.get("/readyz").json()["missing"]
    if said is None:
        assert (lines, missing) == ([], [])
        return
    assert missing == ["clock"]
    (line,) = lines
    assert said in line

    host.off = timedelta()
    clock.heard(SERVER, datetime.now(timezone.utc), uptime_s())
    assert api.get("/readyz").json()["missing"] == []
    assert caplog.messages[-1] == "this host's clock and the database's agree again"


def test_its_watch_takes_nobody_for_silent(world: World) -> None:
    token = world.enrol("CP-001")
    api = world.api()
    world.db.clock = told_the_time(WrongClock(timedelta(days=1)))
    api.register(token)
    api.beat(token, interval_s=60)
    before = world.history()
    assert world.status() == "AVAILABLE"

    for _ in range(40):  # it has listened for long enough
        world.clock.advance(10)
        assert world.loop.run(api.central.watch.round()) == 0
    assert world.status() == "AVAILABLE"
    assert world.history() == before
