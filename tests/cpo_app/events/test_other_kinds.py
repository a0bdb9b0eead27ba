"""Charge points and commands on the event stream: their own documents, told as they change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from cpo_app.settings import Party
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.charge_points.charge_point_events import (
    Event,
    Heartbeat,
    Registered,
    StateReported,
    TelemetryTaken,
)
from domain.charge_points.evse_states import ConnectorState
from domain.commands import command_queue as queue
from domain.commands import command_states as states
from tests.cpo_app.events.conftest import House

PARTY = Party("NL", "EVC", "Test")
AT = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
REGISTERED = Registered("10.0.0.1", 8001, b"sealed", interval_s=2, missed=5)


def happens(house: House, *events: Event) -> None:
    for event in events:

        async def work(tx: Tx, event: Event = event) -> object:
            return await charge_points.apply(tx, PARTY, "CP-001", event)

        house.loop.run(house.store.transact(work))


def charging(error_code: str | None = None) -> StateReported:
    state = ConnectorState.CHARGING
    return StateReported("1", state, "plugged", at=AT, error_code=error_code, session_id="S1")


def test_a_charge_point_is_told_of_without_addresses_keys_and_meters(house: House) -> None:
    house.sender()
    happens(house, REGISTERED, charging())
    consumer = house.consumer()
    consumer.until(lambda _: consumer.last_of("charge-points").get("CP-001", {}).get("connectors"))
    event = consumer.got[-1].event
    assert (event["type"], event["subject"]) == ("org.ocpi.charge-point.changed", "CP-001")
    assert event["dataschema"] == "urn:ocpi-cpo:charge-point:1" and "offered" not in event
    since = event["data"].pop("status_since")
    assert since.endswith("Z") and event["id"] == f"charge-points/CP-001@{event['time']}"
    assert event["data"] == {
        "charge_point_id": "CP-001",
        "evse_uid": "CP-001",
        "status": "CHARGING",
        "state": "SUPPLYING",
        "presence": "ONLINE",
        "operative": True,
        "engine_state": None,
        "faults": [],
        "session_id": None,
        "reservation_id": None,
        "connectors": [
            {
                "id": "1",
                "state": "CHARGING",
                "ev_state": "plugged",
                "error_code": None,
                "session_id": "S1",
            }
        ],
    }


def test_what_says_nothing_new_is_no_event(house: House) -> None:
    house.register()
    happens(house, REGISTERED, charging())

    def version() -> object:
        return [mark["version"] for mark in house.event_marks()]

    before = version()
    meters = {"1": {"energy_wh": 10}}
    happens(house, Heartbeat(2, 5), charging(), TelemetryTaken("boot", 1, meters))
    assert version() == before != []
    happens(house, charging("OverVoltage"))
    assert version() != before


def test_two_states_of_one_moment_have_two_ids(house: House) -> None:
    house.register()
    happens(house, REGISTERED, charging())

    async def told_at() -> list[datetime]:
        row = await charge_points.get(house.db, "CP-001")
        assert row is not None
        return [row["told_at"]]

    async def the_future(tx: Tx) -> None:
        later = {"$set": {"told_at": tx.now + timedelta(hours=1)}}
        await CHARGE_POINTS.of(tx).update_one({"_id": "CP-001"}, later)

    house.loop.run(house.store.transact(the_future))
    before = house.loop.run(told_at())
    happens(house, charging("OverVoltage"))
    (after,) = house.loop.run(told_at())
    assert after - before[0] == timedelta(milliseconds=1)


async def asked(tx: Tx, **also: object) -> queue.Command:
    content = {"token": {"uid": "SECRET-CARD"}}
    whole: queue.Command = {"content": content, "session_id": "S1", **also}  # type: ignore[typeddict-item]
    deadline = tx.now + timedelta(seconds=30)
    return await queue.add(tx, "START_SESSION", cp_id="CP-001", deadline=deadline, also=whole)


def test_a_command_is_told_of_to_its_end_and_without_its_card(house: House) -> None:
    house.sender()
    consumer = house.consumer()

    async def accept(tx: Tx) -> queue.Command:
        return await asked(tx, peer_id="peer-1")

    command = house.loop.run(house.store.transact(accept))
    consumer.until(lambda _: consumer.last_of("commands"))
    first = consumer.last_of("commands")[command["_id"]]
    assert (first["status"], first["ended_at"], first["result"]) == ("RECEIVED", None, None)

    async def send(tx: Tx) -> queue.Command:
        return await queue.advance(tx, command, states.Event.SEND, {"sent_at": tx.now})

    sent = house.loop.run(house.store.transact(send))

    async def answer(tx: Tx) -> None:
        said = {"result": {"result": "ACCEPTED"}, "answered_at": tx.now}
        await queue.advance(tx, sent, states.Event.ANSWERED, said)

    house.loop.run(house.store.transact(answer))
    consumer.until(lambda _: consumer.last_of("commands")[command["_id"]]["status"] == "ENDED")
    event = consumer.got[-1].event
    assert event["id"] == f"commands/{command['_id']}@ENDED:CP-001"
    assert event["time"] == event["data"]["ended_at"]
    told = {name: event["data"][name] for name in ("kind", "asked_by", "session_id", "timed_out")}
    assert told == {
        "kind": "START_SESSION", "asked_by": "peer-1", "session_id": "S1", "timed_out": False,
    }  # fmt: skip
    assert event["data"]["result"] == {"result": "ACCEPTED"}
    assert "SECRET-CARD" not in str([one.event for one in consumer.got])


def test_what_we_want_of_a_charge_point_ourselves_is_our_own_business(house: House) -> None:
    house.register()
    house.loop.run(house.store.transact(asked))
    assert house.event_marks() == []
