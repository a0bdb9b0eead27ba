"""Brokers that are away, hang, or refuse an event: nothing is lost, and nobody else waits."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cpo_app.events.sender import EventSender
from cpo_app.kafka.producer import NotTaken
from domain.events import marks as event_marks
from domain.events import stream
from domain.events.event import Event
from tests.cpo_app.events.conftest import House
from tests.cpo_app.ocpi.push.objects import location

_ROOT = Path(__file__).parents[3]


@pytest.fixture
def own_cluster(house: House) -> Iterator[subprocess.Popen[str]]:
    """A cluster of the test's own, in a process that it may stop."""
    argv = [sys.executable, "-m", "tests.cpo_app.events.cluster"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        house.cluster = process.stdout.readline().strip()
        yield process
        process.kill()


@pytest.mark.processes
def test_what_changes_while_the_brokers_hang_is_told_when_they_are_back(
    house: House, own_cluster: subprocess.Popen[str]
) -> None:
    house.sender(take_at_most_s=1.0)
    house.locations(location("LOC1"))
    consumer = house.consumer()
    consumer.until_there_is(1)
    house.until_all_is_told()

    os.kill(own_cluster.pid, signal.SIGSTOP)
    house.locations(location("LOC2", name="first"))
    house.until(lambda: (house.stream() or {})["failures"])
    house.locations(location("LOC2", name="then"))  # nobody waits for Kafka
    failing = house.stream() or {}
    assert failing["reason"] and failing["retry_at"]
    assert [mark["key"] for mark in house.event_marks()] == ["nl/evc/loc2"]

    os.kill(own_cluster.pid, signal.SIGCONT)
    consumer.until(
        lambda _: consumer.last_of("locations").get("nl/evc/loc2", {}).get("name") == "then"
    )
    house.until_all_is_told()
    house.until(lambda: (house.stream() or {})["failures"] == 0)


def test_brokers_that_are_nowhere_are_left_alone_for_a_while(house: House) -> None:
    house.cluster = "127.0.0.1:1"
    house.sender(take_at_most_s=0.5)
    house.locations(location("LOC1"))
    house.until(lambda: (house.stream() or {})["failures"])
    found = house.stream() or {}
    assert (
        found["reason"]
        and found["retry_at"]
        and found["opened"]
        and found["retry_at"] > found["opened"]
    )
    assert len(house.event_marks()) == 1


def test_an_event_that_they_will_not_have_holds_up_no_other(house: House) -> None:
    house.register()
    house.locations(location("LOC1", name="x" * 1_500_000), location("LOC2"))
    house.sender()
    (one,) = house.consumer().until_there_is(1)
    assert one.key == "nl/evc/loc2"
    house.until(lambda: len(house.event_marks()) == 1)
    (mark,) = house.event_marks()
    assert (mark["key"], mark["attempts"]) == ("nl/evc/loc1", 1)
    assert "too large" in mark["error"]
    house.until(lambda: (house.stream() or {})["failures"] == 0)


def test_one_process_sends_at_a_time_and_another_goes_on(house: House) -> None:
    consumer = house.consumer()
    with house.sending():
        house.until(lambda: (house.stream() or {})["owner"])
        first = (house.stream() or {})["owner"]
        house.sender()
        house.locations(location("LOC1"))
        consumer.until_there_is(1)
        house.until_all_is_told()
    house.locations(location("LOC2"))
    consumer.until_there_is(2)
    assert (house.stream() or {})["owner"] not in ("", first)


def test_what_arrived_after_the_lease_was_lost_is_told_once_more(house: House) -> None:
    """A process that was suspended while it sent: another may have sent a newer state meanwhile."""
    house.register()
    house.locations(location("LOC1"))
    (before,) = house.event_marks()

    async def story() -> None:
        sender = EventSender(house.settings(), house.store)
        produce, arrived = sender._produce, asyncio.Event()

        async def slowly(events: Sequence[Event]) -> list[NotTaken | None]:
            became = await produce(events)
            await sender._lease.release()
            await event_marks.forget(house.db, house.db.now())  # the other process
            arrived.set()
            return became

        sender._produce = slowly  # type: ignore[method-assign]
        while not arrived.is_set():  # on a host that stalls the lease may be over before
            found = await sender._lease.claim()
            assert found is not None
            await sender._send_all(found)
        await sender.stop()

    house.loop.run(story())
    assert len(house.consumer().until_there_is(1)) == 1
    (after,) = house.event_marks()
    assert after["_id"] == before["_id"] and after["version"] != before["version"]


def test_a_server_that_comes_up_tries_at_once(house: House) -> None:
    house.register()

    async def paused() -> None:
        found = await stream.claim(house.db, "before")
        assert found is not None
        await stream.failed(house.db, "before", {**found, "failures": 20}, "it was away")
        await stream.release(house.db, "before")

    house.loop.run(paused())
    assert (house.stream() or {})["retry_at"] is not None
    house.locations(location("LOC1"))
    house.sender()
    house.consumer().until_there_is(1)
    house.until(lambda: (house.stream() or {})["failures"] == 0)


def test_only_who_sends_writes_down_how_it_goes(house: House) -> None:
    house.register()

    async def story() -> list[object]:
        db = house.db
        found = await stream.claim(db, "first")
        assert found is not None
        seen: list[object] = [await stream.claim(db, "second")]
        await stream.failed(db, "second", found, "it is not its turn")
        seen.append((await stream.stream_of(db) or {})["failures"])
        await stream.release(db, "first")
        again = await stream.claim(db, "second")
        return [*seen, again and again["owner"]]

    assert house.loop.run(story()) == [None, 0, "second"]
