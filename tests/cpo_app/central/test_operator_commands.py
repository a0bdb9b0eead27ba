"""What our own people ask of a charge point, carried out as an eMSP's commands are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from cpo_app.central.link.link import LinkResult
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.audit.entries import AUDIT
from domain.charge_points.charge_point_events import OperativeSet
from domain.commands import operator_commands
from domain.commands.command_queue import Command
from domain.commands.operator_commands import Driver, NotAsked
from domain.operator import commands
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld

WITHIN = timedelta(seconds=30)
INES = Actor(ActorKind.PERSON, "ines", Role.OPERATOR)


class Operator:
    """Ines, before the charge points of a world."""

    def __init__(self, world: CommandWorld) -> None:
        self.world = world

    def __call__(self, ask: Callable[[Tx], Awaitable[Command]]) -> str:
        """What came of it, once the worker has been round."""

        async def work() -> Command:
            with acting_as(INES):
                return await self.world.store.transact(ask)

        command = self.world.run(work())
        self.world.settle()
        found = self.world.run(commands.one(self.world.db, command["_id"]))
        assert found is not None
        assert found["by"] == {"kind": "person", "name": "ines"} and "peer_id" not in found
        return str(found["said"])

    def start(self, cp_id: str = "CP-001", driver: Driver | None = None, **more: Any) -> str:
        connector = more.get("connector_id")
        return self(lambda tx: operator_commands.start(tx, cp_id, connector, driver, WITHIN))

    def stop(self, session_id: str | None = None) -> str:
        return self(lambda tx: operator_commands.stop(tx, "CP-001", session_id, WITHIN))

    def unlock(self) -> str:
        return self(lambda tx: operator_commands.unlock(tx, "CP-001", None, WITHIN))

    def reserve(self, driver: Driver | None = None, minutes: float = 30) -> str:
        until = self.world.clock.at + timedelta(minutes=minutes)
        return self(lambda tx: operator_commands.reserve(tx, "CP-001", driver, until, WITHIN))

    def cancel(self) -> str:
        return self(lambda tx: operator_commands.cancel_reservation(tx, "CP-001", WITHIN))


@pytest.fixture
def world(db: Database, loop: Loop) -> CommandWorld:
    return CommandWorld(db, loop)


@pytest.fixture
def operator(world: CommandWorld) -> Operator:
    return Operator(world)


def test_a_session_is_started_and_stopped_for_our_own_party(
    world: CommandWorld, operator: Operator, db: Database
) -> None:
    assert operator.start() == "ACCEPTED"
    [session] = world.sessions()
    assert (session["token"]["uid"], session["token"]["type"]) == ("OPERATOR", "AD_HOC_USER")
    assert session["audience"] == "de*cpo" and session["auth_method"] == "COMMAND"
    world.began(session["_id"])
    assert world.asker().sees(session["_id"]) is None
    assert operator.stop() == "ACCEPTED"
    assert world.link.kinds() == ["start", "stop"]
    entry = world.run(AUDIT.of(db).find_one({"ids": session["_id"]}))
    assert entry is not None and entry["who"]["name"] == "ines"
    assert world.peers.got == []  # nobody waits for a result


def test_a_drivers_session_is_started_as_his_card_was_authorized(
    world: CommandWorld, operator: Operator
) -> None:
    emsp = world.asker()
    driver = Driver(emsp.token(), "AUTH_REQUEST", "REF-9", emsp.peer_id)
    assert operator.start(driver=driver) == "ACCEPTED"
    [session] = world.sessions()
    assert (session["auth_method"], session["authorization_reference"]) == ("AUTH_REQUEST", "REF-9")
    assert session["peer_id"] == emsp.peer_id
    world.began(session["_id"])
    assert emsp.sees(session["_id"]) == "ACTIVE"


def test_an_operator_unlocks_whosever_car_is_there(world: CommandWorld, operator: Operator) -> None:
    world.asker().start(evse_uid="CP-001")
    world.settle()
    assert operator.unlock() == "ACCEPTED"
    assert world.link.kinds() == ["start", "unlock"]


def test_a_reservation_is_made_and_cancelled_without_a_word_to_anybody(
    world: CommandWorld, operator: Operator
) -> None:
    assert operator.reserve() == "ACCEPTED"
    assert world.evse_status() == "RESERVED"
    with pytest.raises(NotAsked, match="is reserved already, until"):
        operator.reserve()
    assert world.asker().start(evse_uid="CP-001")["result"] == "REJECTED"
    assert operator.cancel() == "ACCEPTED"
    assert world.evse_status() == "AVAILABLE"
    assert world.peers.got == []


def test_what_we_hold_for_ourselves_we_may_start(world: CommandWorld, operator: Operator) -> None:
    operator.reserve()
    with pytest.raises(NotAsked, match="reserved for another driver"):
        operator.start(driver=Driver(world.asker().token()))
    assert operator.start() == "ACCEPTED"


def test_an_emsp_is_told_that_its_reservation_is_cancelled(
    world: CommandWorld, operator: Operator
) -> None:
    emsp = world.asker()
    emsp.reserve(evse_uid="CP-001")
    world.settle()
    assert operator.cancel() == "ACCEPTED"
    world.settle()
    assert world.results() == ["ACCEPTED", "CANCELED_RESERVATION"]
    held = world.reservation(emsp)
    assert held is not None and held["status"] == "CANCELED"


def test_one_of_ours_is_lost_with_its_evse_and_nobody_is_told(
    world: CommandWorld, operator: Operator
) -> None:
    operator.reserve()
    world.happen("CP-001", OperativeSet(False))
    world.run(world.parts.reservations.round())
    world.settle()
    assert world.peers.got == []
    assert world.link.engine("CP-001").reservation_id is None


def test_what_cannot_be_asked_says_why(world: CommandWorld, operator: Operator) -> None:
    for ask, said in (
        (operator.stop, "no session runs at CP-001"),
        (operator.cancel, "CP-001 is not reserved"),
        (lambda: operator.start("CP-404"), "CP-404 stands at no location"),
        (lambda: operator.start(connector_id="9"), "CP-001 has no connector 9"),
        (lambda: operator.stop("S-404"), "S-404 does not run at CP-001"),
        (lambda: operator.reserve(minutes=-1), "has passed"),
    ):
        with pytest.raises(NotAsked, match=said):
            ask()
    assert world.link.asked == 0


def test_what_the_charge_point_says_no_to_is_read(world: CommandWorld, operator: Operator) -> None:
    world.link.says["CP-001"] = LinkResult.FAULT
    assert operator.start() == "EVSE_INOPERATIVE: The EVSE has a fault"
    assert operator.unlock() == "EVSE_INOPERATIVE: The EVSE has a fault"


def test_a_charge_point_that_does_not_answer_times_out(
    world: CommandWorld, operator: Operator
) -> None:
    world.link.deaf["CP-001"] = "gone"
    assert operator.start() == "under way"
    world.clock.advance(WITHIN.total_seconds() + 1)
    world.settle()
    [row] = world.run(commands.page(world.db, limit=10, cp_id="CP-001"))[0]
    assert row["said"] == "TIMEOUT"
