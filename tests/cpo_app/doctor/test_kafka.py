"""What the doctor says of Kafka: brokers, topics, and what waits."""

from __future__ import annotations

from datetime import timedelta

from cpo_app.doctor.findings import Finding, Level
from cpo_app.doctor.kafka import check_brokers, check_events
from tests.cpo_app.events.conftest import House, cluster, house
from tests.cpo_app.ocpi.push.objects import location

__all__ = ["cluster", "house"]


def asked(house: House, **changed: object) -> list[Finding]:
    return house.loop.run(check_brokers(house.settings(**changed)))


def kept(house: House, **changed: object) -> list[tuple[Level, str]]:
    async def look() -> list[tuple[Level, str]]:
        settings = house.settings(**changed)
        return [(one.level, one.said) async for one in check_events(house.db, settings)]

    return house.loop.run(look())


def test_nothing_is_said_where_there_is_no_kafka(house: House) -> None:
    assert asked(house, CPO_KAFKA_BROKERS="") == []
    assert kept(house, CPO_KAFKA_BROKERS="") == []


def test_brokers_that_answer_and_topics_that_are_not_there(house: House) -> None:
    brokers, topics = asked(house)
    assert (brokers.level, brokers.said) == (Level.OK, f"{house.cluster}: 1 broker(s) answer")
    assert topics.level is Level.WARN and f"{house.prefix}charge-points" in topics.said
    assert "CPO_KAFKA_CREATE_TOPICS" in topics.do


def test_brokers_that_do_not_answer(house: House) -> None:
    (found,) = asked(house, CPO_KAFKA_BROKERS="127.0.0.1:1")
    assert found.level is Level.FAIL and "127.0.0.1:1" in found.said


def test_what_waits_and_who_is_missing(house: House) -> None:
    assert kept(house) == [(Level.WARN, "none are kept yet")]
    house.register()
    house.locations(location("LOC1"))
    (found,) = kept(house)
    assert found[0] is Level.OK and found[1].endswith("; 1 wait")
    assert (Level.WARN, "are kept, and no brokers are set here") in kept(
        house, CPO_KAFKA_BROKERS=""
    )

    async def a_while_passes() -> None:
        ago = house.db.now() - timedelta(minutes=10)
        await house.db["event_streams"].update_one({}, {"$set": {"since": ago, "until": ago}})

    house.loop.run(a_while_passes())
    assert kept(house) == [(Level.WARN, "events are kept for Kafka, and no server sends them")]
