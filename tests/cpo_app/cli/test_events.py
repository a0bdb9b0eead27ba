"""`cpo events`: how the events go, what comes, their schema, telling it once more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.events.kinds import KINDS
from tests.cpo_app.cli.conftest import Cpo
from tests.cpo_app.events.conftest import House, cluster, house
from tests.cpo_app.ocpi.push.objects import cdr, location

__all__ = ["cluster", "house"]


@pytest.fixture
def brokers(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Commands find the test's brokers and topics."""
    monkeypatch.setenv("CPO_KAFKA_BROKERS", house.cluster)
    monkeypatch.setenv("CPO_KAFKA_TOPIC_PREFIX", house.prefix)
    return house


def test_tail_shows_what_the_topics_hold(brokers: House, cpo: Cpo) -> None:
    brokers.sender()
    brokers.locations(location("LOC1"), location("LOC2"))
    brokers.until_all_is_told()
    tail = cpo("events", "tail", "locations", "--from-beginning", "-n", "2")
    assert sorted(line.split()[1:] for line in tail.out.splitlines()) == [
        ["org.ocpi.location.changed", "NL/EVC/LOC1"],
        ["org.ocpi.location.changed", "NL/EVC/LOC2"],
    ]
    raw = cpo("events", "tail", "--from-beginning", "--raw", "-n", "1")
    assert raw.json()["specversion"] == "1.0"


def test_status_says_what_waits(brokers: House, cpo: Cpo) -> None:
    assert cpo("events", "status", "--json").json() is None
    brokers.register()
    brokers.locations(location("LOC1"))
    told = cpo("events", "status", "--json").json()
    assert (told["backlog"], told["sender"], told["brokers"]) == (1, None, brokers.cluster)
    assert "backlog" in cpo("events", "status").out

    async def a_while_passes() -> None:
        ago = brokers.db.now() - timedelta(minutes=10)
        await brokers.db["event_streams"].update_one({}, {"$set": {"since": ago, "until": ago}})

    brokers.loop.run(a_while_passes())
    screen = cpo("status").out.splitlines()
    assert ["Kafka", "1", "objects", "wait"] in [line.split() for line in screen]
    assert any("no server sends them (cpo events status)" in line for line in screen)


def test_a_schema_is_shown_of_each_kind_and_another_is_refused(cpo: Cpo) -> None:
    for kind in KINDS:
        assert cpo("events", "schema", kind).json()["title"] == f"Events of {kind}"
    refused = cpo("events", "schema", "tokens")
    assert refused.code == 1 and "'tokens' is none of" in refused.err


def test_it_is_told_once_more_and_ended(brokers: House, cpo: Cpo) -> None:
    brokers.publish("cdrs", cdr("C1"))
    nothing = cpo("events", "resync", "--all")
    assert nothing.code == 1 and "no events are kept" in nothing.err
    brokers.register()
    assert cpo("events", "resync", "--from", "2024-05-01").json()["marked"]["cdrs"] == 1
    told = cpo("events", "resync", "--from", "2024-05-02", "--kind", "cdrs").json()
    assert told["marked"] == {"cdrs": 0}
    unclear = cpo("events", "resync")
    assert unclear.code == 1 and "one of both" in unclear.err
    ended = cpo("events", "off", "--yes")
    assert (ended.code, "1 events that waited are dropped" in ended.err) == (0, True)
    assert brokers.event_marks() == []


def test_brokers_that_do_not_answer_are_said(cpo: Cpo, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = cpo("events", "tail")
    assert nowhere.code == 1 and "CPO_KAFKA_BROKERS names no brokers" in nowhere.err
    monkeypatch.setattr("cpo_app.kafka.reader._ANSWER_WITHIN_S", 0.5)
    monkeypatch.setenv("CPO_KAFKA_BROKERS", "127.0.0.1:1")
    away = cpo("events", "tail")
    assert away.code == 1 and "cpo: 127.0.0.1:1: " in away.err
