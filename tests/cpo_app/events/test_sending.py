"""What changes here becomes events: one for each state that is told, in order for each object."""

from __future__ import annotations

import pytest

from db_interface.transaction import Tx
from domain.events import stream
from domain.events.resync import mark_from
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from tests.cpo_app.events.conftest import House
from tests.cpo_app.ocpi.push.objects import cdr, location, private, session, tariff


def test_nothing_is_kept_while_there_is_no_stream(house: House) -> None:
    house.locations(location("LOC1"))
    assert house.event_marks() == []


def test_objects_become_cloud_events(house: House) -> None:
    house.sender()
    house.locations(location("LOC1", name="Here"))
    house.publish("tariffs", tariff("T1"))
    house.publish("sessions", session("S1", 1.5))
    house.publish("cdrs", cdr("C1", "S1"))
    got = house.consumer().until_there_is(4)
    house.until_all_is_told()

    by_type = {one.event["type"]: one for one in got}
    assert set(by_type) == {
        "org.ocpi.location.changed",
        "org.ocpi.tariff.changed",
        "org.ocpi.session.changed",
        "org.ocpi.cdr.created",
    }
    one = by_type["org.ocpi.location.changed"]
    stored = house.loop.run(house.store.get("locations", "nl/evc/loc1"))
    assert (one.topic, one.key) == (f"{house.prefix}locations", "nl/evc/loc1")
    assert stored is not None and stored["name"] == "Here"
    assert one.event == {
        "specversion": "1.0",
        "id": f"locations/nl/evc/loc1@{stored['last_updated']}",
        "source": "http://127.0.0.1:8000",
        "type": "org.ocpi.location.changed",
        "subject": "NL/EVC/LOC1",
        "time": stored["last_updated"],
        "datacontenttype": "application/json",
        "dataschema": "urn:ocpi:2.2.1:location",
        "partitionkey": "nl/evc/loc1",
        "offered": True,
        "data": stored,
    }


def test_an_object_is_told_in_order_and_ends_as_it_is(house: House) -> None:
    house.sender()
    for number in range(20):
        house.locations(location("LOC1", name=f"Round {number}"))
    consumer = house.consumer()
    consumer.until(
        lambda _: consumer.last_of("locations").get("nl/evc/loc1", {}).get("name") == "Round 19"
    )
    house.until_all_is_told()
    names = [int(one.event["data"]["name"].split()[1]) for one in consumer.read()]
    assert names == sorted(names)
    assert len({one.partition for one in consumer.got}) == 1
    # One that changed between its mark and its being read is told twice, by the same id.
    by_id: dict[str, object] = {}
    for one in consumer.got:
        assert by_id.setdefault(one.event["id"], one.event) == one.event


def test_what_no_peer_may_see_says_so(house: House) -> None:
    house.sender()
    house.publish("locations", private(location("LOC1")))
    (one,) = house.consumer().until_there_is(1)
    assert one.event["offered"] is False


def test_a_tariff_that_is_removed_is_told_of(house: House) -> None:
    house.register()
    house.publish("tariffs", tariff("T1"))
    assert house.withdraw("tariffs", "nl/evc/t1")
    (mark,) = house.event_marks()
    house.sender()
    (one,) = house.consumer().until_there_is(1)
    assert one.event["type"] == "org.ocpi.tariff.removed"
    assert one.event["data"] == {"country_code": "NL", "party_id": "EVC", "id": "T1"}
    assert one.event["id"].startswith("tariffs/nl/evc/t1@removed:")
    assert one.key == "nl/evc/t1" and mark["gone"]["id"] == "T1"


def test_the_past_is_told_on_demand_alone_and_bears_the_same_ids(house: House) -> None:
    house.locations(location("LOC1"))
    house.publish("cdrs", cdr("C1"))
    house.sender()
    house.locations(location("LOC2"))
    consumer = house.consumer()
    consumer.until_there_is(1)
    house.until_all_is_told()
    assert [one.key for one in consumer.read()] == ["nl/evc/loc2"]

    told = house.loop.run(mark_from(house.store, None))
    assert told == {
        "tariffs": 0, "locations": 2, "sessions": 0, "cdrs": 1, "charge-points": 0, "commands": 0,
    }  # fmt: skip
    consumer.until_there_is(4)
    ids = [one.event["id"] for one in consumer.got if one.key == "nl/evc/loc2"]
    assert len(ids) == 2 and len(set(ids)) == 1


def test_what_was_under_way_when_the_stream_came_is_told_when_it_has_ended(house: House) -> None:
    # By a process that did not know of the stream.
    house.publish_all("locations", [owned_location(location("LOC1"))])
    house.register()
    assert house.event_marks() == []

    async def a_minute_passes() -> None:
        await house.db["event_streams"].update_one({}, [{"$set": {"settles_at": "$$NOW"}}])

    house.loop.run(a_minute_passes())
    house.sender()
    (one,) = house.consumer().until_there_is(1)
    assert one.key == "nl/evc/loc1"
    house.until(lambda: "settles_at" not in (house.stream() or {}))


def test_a_stream_that_was_ended_begins_anew(house: House) -> None:
    house.register()
    house.locations(location("LOC1"))
    house.loop.run(house.store.transact(stream.forget))
    stream.look_again(house.db)
    house.locations(location("LOC2"))
    assert [mark["key"] for mark in house.event_marks()] == ["nl/evc/loc1"]
    house.sender()
    house.until(lambda: not house.event_marks())
    assert house.consumer().read() == []


def test_a_mark_goes_with_its_transaction(house: House) -> None:
    house.register()

    async def work(tx: Tx) -> None:
        await publish(house.store, "locations", owned_location(location("LOC1")), tx)
        raise RuntimeError("it is undone")

    with pytest.raises(RuntimeError, match="undone"):
        house.loop.run(house.store.transact(work))
    assert house.event_marks() == []
