"""START_SESSION, STOP_SESSION and UNLOCK_CONNECTOR: answered, carried out, told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cpo_app.central.link.link import LinkResult
from db_interface.database import Database
from domain.charge_points.charge_point_events import OperativeSet
from domain.errors import UnknownLocationInCommand
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld


@pytest.fixture
def world(db: Database, loop: Loop) -> CommandWorld:
    return CommandWorld(db, loop)


def said(answer: dict[str, Any]) -> str:
    return answer["result"]


def test_a_start_is_answered_carried_out_and_its_result_told(world: CommandWorld) -> None:
    emsp = world.asker()
    assert emsp.start(url="https://x/1", evse_uid="cp-001") == {"result": "ACCEPTED", "timeout": 30}
    world.settle()
    [(cp_id, kind, fields)] = world.link.done
    assert (cp_id, kind, fields["id_tag"], fields["connector_id"]) == (
        "CP-001",
        "start",
        "CARD-1",
        "1",
    )
    [delivery] = world.peers.got
    assert (delivery.method, delivery.url, delivery.body) == (
        "POST",
        "https://x/1",
        {"result": "ACCEPTED"},
    )
    assert (delivery.from_party, delivery.to_party) == (("DE", "CPO"), ("DE", "TNM"))
    assert delivery.correlation_id == "corr-1"
    assert emsp.sees(fields["session_id"]) == "PENDING"
    assert world.asker("nl*abc").sees(fields["session_id"]) is None
    [charging] = world.sessions()
    assert charging["auth_method"] == "COMMAND" and charging["source"] == "remote"
    assert world.documents("START_SESSION")[0]["state"] == "DELIVERED"


def test_the_authorization_reference_goes_into_the_session(world: CommandWorld) -> None:
    world.asker().start(evse_uid="CP-001", authorization_reference="REF-9")
    world.settle()
    assert world.sessions()[0]["authorization_reference"] == "REF-9"


def test_the_same_request_again_is_the_same_command(world: CommandWorld) -> None:
    emsp = world.asker()
    first = emsp.start(url="https://x/1", evse_uid="CP-001")
    assert emsp.start(url="https://x/1", evse_uid="CP-001") == first
    world.settle()
    assert emsp.start(url="https://x/1", evse_uid="CP-001") == first
    world.settle()
    assert world.link.kinds() == ["start"] and world.results() == ["ACCEPTED"]
    # Another peer's, or other content, is another command.
    assert said(emsp.start("CARD-2", url="https://x/1", evse_uid="CP-001")) == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED", "EVSE_OCCUPIED"]


def test_equal_requests_at_once_are_one_command(world: CommandWorld) -> None:
    emsp = world.asker()

    async def storm() -> list[dict[str, Any]]:
        data = {"token": emsp.token(), "location_id": "SITE-1"}
        return await asyncio.gather(
            *(emsp.asking("START_SESSION", "https://x/1", **data) for _ in range(20))
        )

    answers = world.run(storm())
    assert answers == [{"result": "ACCEPTED", "timeout": 30}] * 20
    world.settle()
    assert world.link.kinds() == ["start"] and world.results() == ["ACCEPTED"]


def test_after_a_failure_the_same_request_is_tried_anew(world: CommandWorld) -> None:
    emsp = world.asker()
    world.link.says["CP-001"] = LinkResult.FAULT
    emsp.start(url="https://x/1", evse_uid="CP-001")
    world.settle()
    world.link.says.clear()
    emsp.start(url="https://x/1", evse_uid="CP-001")
    world.settle()
    assert world.results() == ["EVSE_INOPERATIVE", "ACCEPTED"]


def test_any_evse_of_the_location_will_do(world: CommandWorld) -> None:
    emsp = world.asker()
    for card in ("A", "B", "C"):
        assert said(emsp.start(card)) == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED", "ACCEPTED", "EVSE_OCCUPIED"]
    assert sorted(cp for cp, _, _ in world.link.done) == ["CP-001", "CP-002"]


def test_an_evse_that_refuses_is_left_for_the_next(world: CommandWorld) -> None:
    world.link.says["CP-001"] = LinkResult.OCCUPIED
    world.asker().start()
    world.settle()
    assert world.results() == ["ACCEPTED"]
    assert [cp for cp, _, _ in world.link.done] == ["CP-001", "CP-002"]
    assert [(s["cp_id"], s["status"]) for s in world.sessions()] == [
        ("CP-001", "INVALID"),
        ("CP-002", "PENDING"),
    ]


@pytest.mark.parametrize(
    ("engine", "result"),
    [
        (LinkResult.OCCUPIED, "EVSE_OCCUPIED"),
        (LinkResult.FAULT, "EVSE_INOPERATIVE"),
        (LinkResult.INOPERATIVE, "EVSE_INOPERATIVE"),
        (LinkResult.RESERVED, "REJECTED"),
        (LinkResult.REJECTED, "REJECTED"),
        (LinkResult.NOT_SUPPORTED, "NOT_SUPPORTED"),
    ],
)
def test_what_the_charge_point_says_in_ocpis_words(
    world: CommandWorld, engine: LinkResult, result: str
) -> None:
    world.link.says["CP-001"] = engine
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert world.results() == [result]
    assert [s["status"] for s in world.sessions()] == ["INVALID"]


def test_what_is_refused_at_once(world: CommandWorld) -> None:
    emsp, other = world.asker(), world.asker("nl*abc")
    stolen = {"token": other.token(), "location_id": "SITE-1"}
    assert said(emsp.ask("START_SESSION", **stolen)) == "REJECTED"  # type: ignore[arg-type]
    invalid = {"token": emsp.token(valid=False), "location_id": "SITE-1"}
    assert said(emsp.ask("START_SESSION", **invalid)) == "REJECTED"  # type: ignore[arg-type]
    for place in (
        {"location_id": "SITE-9"},
        {"evse_uid": "CP-009"},
        {"evse_uid": "CP-001", "connector_id": "9"},
    ):
        with pytest.raises(UnknownLocationInCommand):
            emsp.start(**place)
    assert said(emsp.ask("STOP_SESSION", session_id="nowhere")) == "UNKNOWN_SESSION"
    world.settle()
    assert world.link.asked == 0 and world.peers.got == []


def test_an_evse_out_of_service_is_not_asked(world: CommandWorld) -> None:
    world.happen("CP-001", OperativeSet(False))
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert world.results() == ["EVSE_INOPERATIVE"] and world.link.asked == 0


def test_an_evse_that_cannot_do_it_is_not_supported(world: CommandWorld) -> None:
    emsp = world.asker()

    async def less_able() -> None:
        await world.db["locations"].update_many({}, {"$set": {"x": 1}})
        document = await world.db["locations"].find_one({})
        from domain.objects.locations import owned_location

        fields = dict(document["fields"])
        for evse in fields["evses"]:
            evse["capabilities"] = ["RFID_READER"]
        await world.store.create("locations", owned_location(fields))

    world.run(less_able())
    assert said(emsp.start(evse_uid="CP-001")) == "NOT_SUPPORTED"
    assert said(emsp.start()) == "NOT_SUPPORTED"
    assert said(emsp.reserve(evse_uid="CP-001")) == "NOT_SUPPORTED"
    unlock = {"location_id": "SITE-1", "evse_uid": "CP-001", "connector_id": "1"}
    assert said(emsp.ask("UNLOCK_CONNECTOR", **unlock)) == "NOT_SUPPORTED"


def charging(world: CommandWorld, cp_id: str = "CP-001") -> str:
    """A session of de*tnm that charges; its id."""
    world.asker().start(evse_uid=cp_id)
    world.settle()
    session_id = world.link.engine(cp_id).session_id
    assert session_id is not None
    world.began(session_id, cp_id)
    world.peers.got.clear()
    return session_id


def test_a_session_is_stopped_by_its_party_alone(world: CommandWorld) -> None:
    session_id = charging(world)
    other = world.asker("nl*abc")
    assert said(other.ask("STOP_SESSION", session_id=session_id)) == "UNKNOWN_SESSION"
    assert said(world.asker().ask("STOP_SESSION", session_id=session_id.upper())) == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED"]
    assert world.link.kinds() == ["start", "stop"]
    world.stopped(session_id)
    assert said(world.asker().ask("STOP_SESSION", session_id=session_id)) == "REJECTED"


def test_a_connector_is_unlocked_unless_another_partys_car_is_there(world: CommandWorld) -> None:
    charging(world)
    unlock = {"location_id": "SITE-1", "evse_uid": "CP-001", "connector_id": "1"}
    assert said(world.asker("nl*abc").ask("UNLOCK_CONNECTOR", **unlock)) == "REJECTED"
    assert said(world.asker().ask("UNLOCK_CONNECTOR", **unlock)) == "ACCEPTED"
    world.link.says["CP-002"] = LinkResult.UNLOCK_FAILED
    assert said(world.asker().ask("UNLOCK_CONNECTOR", **{**unlock, "evse_uid": "CP-002"}))
    world.settle()
    assert sorted(world.results()) == ["ACCEPTED", "FAILED"]


def test_a_car_whose_session_has_ended_is_still_its_partys(world: CommandWorld) -> None:
    session_id = charging(world)
    world.link.engine("CP-001").session_id = None
    world.stopped(session_id)
    world.report("CP-001", "FINISHING", plugged=True)
    unlock = {"location_id": "SITE-1", "evse_uid": "CP-001", "connector_id": "1"}
    assert said(world.asker("nl*abc").ask("UNLOCK_CONNECTOR", **unlock)) == "REJECTED"
    assert said(world.asker().ask("UNLOCK_CONNECTOR", **unlock)) == "ACCEPTED"


def test_commands_of_one_charge_point_keep_their_order(world: CommandWorld) -> None:
    emsp = world.asker()
    session_id = charging(world)
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    world.link.before = wait
    emsp.ask("STOP_SESSION", session_id=session_id)
    emsp.start("CARD-2", evse_uid="CP-001")
    emsp.start("CARD-3", evse_uid="CP-002")
    other = world.worker()

    async def two_rounds() -> int:
        await world.parts.worker.round()
        await other.worker.round()
        while world.link.asked < 3:  # the first start, the stop, and the one at CP-002
            await asyncio.sleep(0.005)
        return world.link.asked

    assert world.run(two_rounds()) == 3
    world.link.before = None
    world.loop.loop.call_soon_threadsafe(gate.set)
    world.settle()
    world.stopped(session_id)
    world.settle(other)
    world.settle()
    kinds = [(cp, kind) for cp, kind, _ in world.link.done]
    assert kinds[0] == ("CP-001", "start")
    assert [kind for cp, kind in kinds if cp == "CP-001"][:2] == ["start", "stop"]


def test_too_many_commands_for_one_charge_point_are_refused(world: CommandWorld) -> None:
    emsp = world.asker()
    answers = [said(emsp.start(f"CARD-{n}", evse_uid="CP-001")) for n in range(34)]
    assert answers == ["ACCEPTED"] * 32 + ["REJECTED"] * 2
    assert said(emsp.start("CARD-X", evse_uid="CP-002")) == "ACCEPTED"
