"""The worker: nothing lost whenever it dies, nothing done twice, TIMEOUT on time, results told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import WriteConcernError

from cpo_app.central.commands import command_worker
from cpo_app.central.commands.command_worker import LEASE_S
from cpo_app.central.commands.session_commands import NOT_KNOWN_THERE
from cpo_app.central.link.link import LinkResult
from db_interface.clocks import HostClock
from db_interface.database import Database
from domain.commands import command_queue
from domain.commands.command_delivery import NotDelivered
from domain.commands.command_states import OPEN
from tests.conftest import Loop
from tests.counting import growth_of
from tests.cpo_app.central.command_world import CommandWorld


@pytest.fixture
def world(db: Database, loop: Loop) -> CommandWorld:
    return CommandWorld(db, loop)


def until(world: CommandWorld, met: Callable[[], Any]) -> None:
    """Wait for a condition (20 s at most)."""

    ends = time.monotonic() + 20
    while not met():
        assert time.monotonic() < ends, "the condition was not met"
        world.run(asyncio.sleep(0.005))


def one_round(world: CommandWorld) -> None:
    world.run(world.parts.worker.round())


class Freeze:
    """Where a worker is to be caught: reached, and never left."""

    def __init__(self) -> None:
        self.reached = False

    async def __call__(self) -> None:
        self.reached = True
        await asyncio.Event().wait()


def die_after_the_claim(world: CommandWorld) -> None:
    command = world.documents("START_SESSION")[0]
    claim = command_queue.claim(world.db, command["_id"], OPEN, world.clock.now(), "dead", LEASE_S)
    assert world.run(claim) is not None


def die_before_the_charge_point_hears(world: CommandWorld) -> None:
    freeze = world.link.before = Freeze()
    one_round(world)
    until(world, lambda: freeze.reached)
    world.abandon()
    world.link.before = None


def die_before_its_answer_is_kept(world: CommandWorld) -> None:
    freeze = world.link.after = Freeze()
    one_round(world)
    until(world, lambda: freeze.reached)
    world.abandon()
    world.link.after = None


def die_before_the_peer_hears(world: CommandWorld) -> None:
    freeze = world.peers.before = Freeze()
    one_round(world)
    until(world, lambda: world.documents("START_SESSION")[0]["state"] == "RESULT")
    one_round(world)
    until(world, lambda: freeze.reached)
    world.abandon()
    world.peers.before = None


@pytest.mark.parametrize(
    "die",
    [
        die_after_the_claim,
        die_before_the_charge_point_hears,
        die_before_its_answer_is_kept,
        die_before_the_peer_hears,
    ],
)
def test_whenever_a_worker_dies_another_goes_on(
    world: CommandWorld, die: Callable[[CommandWorld], None]
) -> None:
    world.asker().start(evse_uid="CP-001")
    until_dead = world.clock.at
    die(world)
    second = world.worker()
    world.settle(second)
    assert world.peers.got == [], "the dead worker's lease was not respected"
    world.clock.at = until_dead
    world.leases_end()
    world.settle(second)
    assert world.link.kinds() == ["start"]
    assert world.results() == ["ACCEPTED"]
    assert [s["status"] for s in world.sessions()] == ["PENDING"]
    assert world.documents("START_SESSION")[0]["state"] == "DELIVERED"


def test_a_result_whose_receipt_was_lost_is_offered_again(world: CommandWorld) -> None:
    world.asker().start(evse_uid="CP-001")
    freeze = world.peers.after = Freeze()
    one_round(world)
    until(world, lambda: world.documents("START_SESSION")[0]["state"] == "RESULT")
    one_round(world)
    until(world, lambda: freeze.reached)
    world.abandon()
    world.peers.after = None
    world.leases_end()
    world.settle(world.worker())
    assert world.results() == ["ACCEPTED", "ACCEPTED"]
    assert world.link.kinds() == ["start"]


def test_a_worker_that_stops_lets_go_at_once(world: CommandWorld) -> None:
    world.asker().start(evse_uid="CP-001")
    freeze = world.link.before = Freeze()
    one_round(world)
    until(world, lambda: freeze.reached)
    world.run(world.parts.worker.stop())
    world.link.before = None
    world.settle(world.worker())
    assert world.results() == ["ACCEPTED"]


def test_a_worker_stops_quietly_where_its_store_ends_together_with_it(
    world: CommandWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends(*_: object) -> None:
        raise WriteConcernError("Replication is being shut down", 91)

    monkeypatch.setattr(command_queue, "release_all", ends)
    world.run(world.parts.worker.stop())


def test_two_workers_do_and_tell_everything_once(world: CommandWorld) -> None:
    second = world.worker()
    emsp = world.asker()
    for number in range(12):
        emsp.start(f"CARD-{number}", evse_uid=f"CP-00{number % 2 + 1}")

    async def both() -> None:
        workers = [world.parts.worker, second.worker]
        for worker in workers:
            worker.rounds.pause_s = 0.02
            worker.start()
        while len(world.peers.got) < 12:
            await asyncio.sleep(0.01)
        for worker in workers:
            await worker.stop()

    world.run(both())
    assert sorted(world.results()) == ["ACCEPTED"] * 2 + ["EVSE_OCCUPIED"] * 10
    assert len({delivery.url for delivery in world.peers.got}) == 12
    assert world.link.kinds() == ["start", "start"]


def test_the_lease_of_who_lives_is_prolonged(world: CommandWorld) -> None:
    worker = world.worker(lease_s=0.3).worker
    world.asker().start(evse_uid="CP-001")
    freeze = world.link.before = Freeze()
    world.run(worker.round())
    until(world, lambda: freeze.reached)
    first = world.documents("START_SESSION")[0]["due"]
    world.clock.advance(5)
    until(world, lambda: world.documents("START_SESSION")[0]["due"] > first)
    world.settle()
    assert world.link.asked == 1
    world.run(worker.abandon())


# --- time -------------------------------------------------------------------------------------


def test_no_answer_is_timeout_and_a_late_start_is_stopped(world: CommandWorld) -> None:
    world.link.deaf["CP-001"] = "mute"
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert world.link.kinds() == ["start"], "it has started, but nobody knows"
    world.link.deaf["CP-001"] = "gone"
    world.clock.advance(28.9)
    world.settle()
    assert world.results() == []
    world.clock.advance(0.2)
    world.settle()
    assert world.results() == ["TIMEOUT"]
    world.link.deaf.clear()
    session_id = world.link.engine("CP-001").session_id
    assert session_id is not None
    world.began(session_id)
    world.clock.advance(6)
    world.settle()
    assert world.link.kinds() == ["start", "stop"]
    assert world.link.engine("CP-001").session_id is None
    world.stopped(session_id, 12.0)
    assert [s["status"] for s in world.sessions()] == ["COMPLETED"]
    assert world.results() == ["TIMEOUT"]
    # The connector is free for the next one.
    world.asker().start("CARD-2", evse_uid="CP-001")
    world.settle()
    assert world.results() == ["TIMEOUT", "ACCEPTED"]


def test_a_start_that_its_charge_point_does_not_know_is_suspect_not_over(
    world: CommandWorld,
) -> None:
    world.link.deaf["CP-001"] = "lost"
    world.asker().start(evse_uid="CP-001")
    world.settle()
    world.clock.advance(30)
    world.settle()
    assert world.results() == ["TIMEOUT"]
    assert [s["status"] for s in world.sessions()] == ["PENDING"], "it may have reached it"
    world.link.deaf.clear()
    world.clock.advance(6)
    world.settle()
    assert world.link.kinds() == ["stop"]
    [session] = world.sessions()
    assert (session["status"], session["running"]) == ("PENDING", False)
    assert session["suspect"]["why"] == NOT_KNOWN_THERE
    # Should it have begun after all, it is billed, and stopped: its eMSP was told TIMEOUT.
    world.began(session["_id"])
    [session] = world.sessions()
    assert (session["status"], session["to_stop"]) == ("ACTIVE", True)


def test_a_late_start_that_has_ended_by_itself_is_billed_by_its_telemetry(
    world: CommandWorld,
) -> None:
    world.link.deaf["CP-001"] = "mute"
    world.asker().start(evse_uid="CP-001")
    world.settle()
    session_id = world.link.engine("CP-001").session_id
    assert session_id is not None
    world.clock.advance(30)
    world.settle()
    assert world.results() == ["TIMEOUT"]
    # The driver has unplugged; the telemetry of it is still on its way.
    world.link.deaf.clear()
    world.link.says["CP-001"] = LinkResult.SESSION_ENDED
    world.clock.advance(6)
    world.settle()
    assert world.link.kinds() == ["start", "stop"]
    assert [s["status"] for s in world.sessions()] == ["PENDING"]
    world.began(session_id)
    world.stopped(session_id, 1110.0)
    assert [(s["status"], s["energy_wh"]) for s in world.sessions()] == [("COMPLETED", 1110.0)]


def test_a_charge_point_that_is_surely_gone_frees_its_connector_at_once(
    world: CommandWorld,
) -> None:
    world.link.deaf["CP-001"] = "gone"
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert world.evse_status() == "AVAILABLE"
    world.clock.advance(30)
    world.settle()
    assert world.results() == ["TIMEOUT"]
    assert [s["status"] for s in world.sessions()] == ["INVALID"]
    assert world.documents("INNER_STOP") == []


def test_a_charge_point_that_comes_back_in_time_is_asked_again(world: CommandWorld) -> None:
    world.link.deaf["CP-001"] = "gone"
    world.asker().start(evse_uid="CP-001")
    world.settle()
    world.link.deaf.clear()
    world.clock.advance(5)
    world.settle()
    assert world.link.kinds() == ["start"] and world.results() == ["ACCEPTED"]


def test_what_waits_behind_a_silent_charge_point_times_out_unsent(world: CommandWorld) -> None:
    world.link.deaf["CP-001"] = "mute"
    emsp = world.asker()
    emsp.start(evse_uid="CP-001")
    emsp.start("CARD-2", evse_uid="CP-001")
    emsp.start("CARD-3", evse_uid="CP-002")
    world.settle()
    assert world.results() == ["ACCEPTED"], "the other charge point does not wait"
    world.run(world.parts.worker.round())
    assert not world.parts.worker._tasks, "what has to wait keeps nobody awake"
    world.clock.advance(30)
    world.settle()
    assert sorted(world.results()) == ["ACCEPTED", "TIMEOUT", "TIMEOUT"]
    assert [
        (kind, fields.get("id_tag")) for cp, kind, fields in world.link.done if cp == "CP-001"
    ] == [("start", "CARD-1"), ("stop", None)]


def test_a_deadline_that_passes_while_the_worker_looks_is_not_overlooked(
    world: CommandWorld,
) -> None:
    world.link.deaf["CP-001"] = "gone"
    world.asker().start(evse_uid="CP-001")
    world.settle()
    command = world.documents("START_SESSION")[0]
    far = command["deadline"] + timedelta(minutes=1)
    world.run(command_queue.put_back(world.db, command, far))  # type: ignore[arg-type]
    moments = [command["deadline"] - timedelta(milliseconds=1)]
    worker = world.parts.worker

    class PassesTheDeadline:
        def now(self) -> datetime:
            return moments.pop() if moments else command["deadline"]

    world.db.clock = PassesTheDeadline()

    assert world.run(worker.round()) == 0
    world.settle()
    assert world.results() == ["TIMEOUT"]


def test_in_real_time_a_result_waits_for_no_look_and_timeout_comes_as_promised(
    db: Database, loop: Loop
) -> None:
    """The worker looks every 20 s: what comes long before that, it was woken for. Bounds in
    milliseconds would judge how busy the machine is."""
    world = CommandWorld(db, loop)
    told: list[tuple[str, float]] = []

    db.clock = HostClock()
    worker = world.worker(pause_s=20).worker

    async def note(delivery: Any) -> None:
        told.append((delivery.body["result"], time.monotonic()))

    worker._deliver = note

    async def start() -> None:
        worker.start()

    world.run(start())
    begun = time.monotonic()
    world.asker().start(evse_uid="CP-001")
    until(world, lambda: told)
    assert told[0][0] == "ACCEPTED" and told[0][1] - begun < 15

    world.intake._timeout_s = 2
    freeze = world.link.before = Freeze()
    begun = time.monotonic()
    assert world.asker().start("CARD-2", evse_uid="CP-002")["timeout"] == 2
    until(world, lambda: len(told) == 2)
    assert freeze.reached
    assert told[1][0] == "TIMEOUT" and 1.75 < told[1][1] - begun < 15
    world.run(worker.stop())


# --- peers ------------------------------------------------------------------------------------


def test_a_result_is_offered_again_with_growing_pauses_then_given_up(world: CommandWorld) -> None:
    world.peers.refuses = NotDelivered("the peer answered HTTP 500", again=True)
    world.asker().start(evse_uid="CP-001")
    world.settle()
    [command] = world.documents("START_SESSION")
    assert (command["state"], command["delivery"]["attempts"]) == ("RESULT", 1)
    for _ in range(40):
        world.clock.advance(4)
        world.settle()
    [command] = world.documents("START_SESSION")
    assert command["state"] == "UNDELIVERED" and 4 < command["delivery"]["attempts"] < 15
    assert command["delivery"]["error"] == "the peer answered HTTP 500"


def test_a_result_is_tried_once_however_late_it_is(world: CommandWorld) -> None:
    world.asker().start(evse_uid="CP-001")
    one_round(world)
    until(world, lambda: world.documents("START_SESSION")[0]["state"] == "RESULT")
    world.clock.advance(3600)  # nobody was there: no worker, or no store
    world.settle()
    assert world.results() == ["ACCEPTED"]
    assert world.documents("START_SESSION")[0]["state"] == "DELIVERED"


def test_a_late_result_that_cannot_be_delivered_is_given_up_after_one_try(
    world: CommandWorld,
) -> None:
    world.peers.refuses = NotDelivered("the peer cannot be reached", again=True)
    world.asker().start(evse_uid="CP-001")
    one_round(world)
    until(world, lambda: world.documents("START_SESSION")[0]["state"] == "RESULT")
    world.clock.advance(3600)
    world.settle()
    [command] = world.documents("START_SESSION")
    assert (command["state"], command["delivery"]["attempts"]) == ("UNDELIVERED", 1)


def test_a_peer_that_comes_back_gets_the_result_once(world: CommandWorld) -> None:
    world.peers.refuses = NotDelivered("the peer cannot be reached", again=True)
    world.asker().start(evse_uid="CP-001")
    world.settle()
    world.peers.refuses = None
    world.clock.advance(2)
    world.settle()
    world.clock.advance(60)
    world.settle()
    assert world.results() == ["ACCEPTED"]


def test_a_peer_that_will_not_have_it_is_left_alone(world: CommandWorld) -> None:
    world.peers.refuses = NotDelivered("the peer answered HTTP 404", again=False)
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert world.documents("START_SESSION")[0]["state"] == "UNDELIVERED"
    assert world.sessions()[0]["status"] == "PENDING", "the session does not depend on it"


def test_a_slow_peer_slows_no_other(world: CommandWorld) -> None:
    slow, quick = world.asker("de*slo"), world.asker("nl*qck")
    for number in range(12):
        slow.ask("CANCEL_RESERVATION", reservation_id=f"none-{number}")
    held: list[str] = []

    async def hold() -> None:
        held.append("")
        if len(held) <= 8:
            await asyncio.Event().wait()

    world.peers.before = hold
    one_round(world)
    until(world, lambda: len(held) == 8)
    quick.ask("CANCEL_RESERVATION", reservation_id="none")
    one_round(world)
    until(world, lambda: world.peers.got)
    assert [delivery.peer_id for delivery in world.peers.got] == [quick.peer_id]
    world.abandon()


def test_a_finished_command_is_deleted_some_day(world: CommandWorld) -> None:
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert world.documents("START_SESSION")[0]["finished_at"] is not None
    indexes = world.run(world.db["commands"].index_information())
    assert indexes["finished_at_1"]["expireAfterSeconds"] == 30 * 24 * 3600


@pytest.mark.parametrize(("is_writing", "after"), [(False, [1, 2]), (True, [2, 4])])
def test_a_lease_is_not_prolonged_into_a_transaction_of_its_own(
    world: CommandWorld, monkeypatch: pytest.MonkeyPatch, is_writing: bool, after: list[int]
) -> None:
    """It would have to begin anew; when the lease is about to end, it is prolonged all the same."""
    slept, prolonged, really = 0, [], asyncio.sleep
    worker = world.parts.worker

    async def sleep(seconds: float) -> None:
        nonlocal slept
        of_the_lease = seconds == worker._lease_s / 3
        slept += of_the_lease
        await really(0 if of_the_lease else seconds)

    async def prolong(*_: object) -> bool:
        prolonged.append(slept)
        return len(prolonged) < 2

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(command_queue, "prolong", prolong)
    hold = command_worker._Hold()
    with hold.writing() if is_writing else contextlib.nullcontext():
        world.run(worker._keep({"_id": "C1"}, hold))
    assert prolonged == after


def test_results_are_counted_by_kind(world: CommandWorld) -> None:
    name = "cpo_commands_total"
    accepted = growth_of(name, kind="START_SESSION", result="ACCEPTED")
    timeout = growth_of(name, kind="START_SESSION", result="TIMEOUT")
    world.link.deaf["CP-001"] = "gone"
    world.asker().start(evse_uid="CP-001")
    world.asker().start("CARD-2", evse_uid="CP-002")
    world.settle()
    assert (accepted(), timeout()) == (1, 0)
    world.clock.advance(30)
    world.settle()
    assert (accepted(), timeout()) == (1, 1)
