"""How the events go, as an operator sees it: what waits, what is wrong, and who says so."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cpo_app.operator.metrics import of_store
from domain.notices.sources import sources_of
from domain.notices.troubles import Kind
from domain.operator.event_states import EventState, PutOff, event_state
from domain.operator.snapshot import snapshot
from tests.cpo_app.events.conftest import House
from tests.cpo_app.ocpi.push.objects import location

NOW = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
LONG_AGO = NOW - timedelta(minutes=2)
WELL = EventState(
    since=LONG_AGO,
    brokers="kafka:9092",
    sender="cpo-1",
    sender_gone_since=None,
    backlog=0,
    backlog_is_more=False,
    oldest=None,
    failures=0,
    reason=None,
    failing_since=None,
    next_try=None,
    last_sent=NOW,
    put_off=(),
)
PUT_OFF = PutOff("locations/nl/evc/loc1", NOW, NOW, 1, "too large")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"sender": None, "sender_gone_since": NOW}, None),
        ({"sender": None, "sender_gone_since": LONG_AGO}, "no server sends"),
        ({"failures": 3, "reason": "refused", "failing_since": NOW}, None),
        ({"failures": 3, "reason": "refused", "failing_since": LONG_AGO}, "no events: refused"),
        ({"put_off": [PUT_OFF]}, "locations/nl/evc/loc1: too large"),
        ({"backlog": 1, "oldest": NOW}, None),
        ({"backlog": 1, "oldest": LONG_AGO}, "longer than a minute"),
    ],
)
def test_what_is_trouble(changed: dict[str, Any], said: str | None) -> None:
    trouble = EventState(**{**vars(WELL), **changed}).trouble(NOW)
    assert trouble is None if said is None else said in (trouble or "")


def test_since_when_nobody_sends_is_said_when_nobody_does(house: House) -> None:
    """Of a server that was stopped, since then: starting it anew is no trouble."""
    with house.sending():
        house.until(lambda: house.stream()["owner"])  # type: ignore[index]

        async def long_ago() -> None:
            ago = house.db.now() - timedelta(days=10)
            await house.db["event_streams"].update_one({}, {"$set": {"since": ago}})

        house.loop.run(long_ago())
        state = house.loop.run(event_state(house.db))
        assert state is not None and state.sender is not None and state.sender_gone_since is None
    state = house.loop.run(event_state(house.db))
    assert state is not None and state.sender is None and state.sender_gone_since is not None
    assert house.db.now() - state.sender_gone_since < timedelta(minutes=1)
    assert state.trouble(house.db.now()) is None


def test_nobody_who_sends_is_noticed_and_measured(house: House) -> None:
    async def figures() -> dict[str, float]:
        families = of_store(await snapshot(house.db), house.db.now())
        return {
            one.name: one.samples[0].value for one in families if one.name.startswith("cpo_events")
        }

    async def troubles() -> list[str]:
        (source,) = [one for one in sources_of(house.db) if Kind.EVENTS_BEHIND in one.kinds]
        return [one.said for one in await source.look()]

    assert house.loop.run(event_state(house.db)) is None
    assert set(house.loop.run(figures()).values()) == {0}
    house.register()
    house.locations(location("LOC1"), location("LOC2"))

    async def a_while_passes() -> None:
        ago = house.db.now() - timedelta(minutes=10)
        await house.db["event_streams"].update_one({}, {"$set": {"since": ago, "until": ago}})
        await house.db["event_marks"].update_one({}, {"$set": {"since": ago}})

    house.loop.run(a_while_passes())
    there = house.loop.run(figures())
    assert there.pop("cpo_events_oldest_seconds") >= 600
    assert there == {
        "cpo_events_backlog": 2,
        "cpo_events_failures_in_a_row": 0,
        "cpo_events_put_off": 0,
    }
    assert house.loop.run(troubles()) == ["events are kept for Kafka, and no server sends them"]
