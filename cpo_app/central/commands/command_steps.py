"""The steps that every kind of command consists of, and what they work on.

`prepare`, `conclude` and `expired` run inside the transaction that moves the command on, and may
run more than once: they change nothing but the store. `ask` changes nothing but the charge
point, and bears the command's id, so that asking again is harmless. The worker alone tells peers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cpo_app.central.link.link import ChargePointLink, LinkAnswer, LinkResult
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.commands.command_intake import result_body
from domain.commands.command_queue import Command
from domain.commands.command_targets import Place, places_of
from domain.errors import UnknownLocationInCommand
from domain.objects.locations import location_with_evse
from domain.reservations.reservations import Billing
from domain.sessions.charging_profiles import PUT_BACK
from domain.sessions.session_rules import Rules
from domain.sites import Party

Body = JsonMapping
"""What goes to the peer."""

INNER_STOP = "INNER_STOP"
INNER_RELEASE = "INNER_RELEASE"
INNER_RESERVE = "INNER_RESERVE"
INNER_PROFILE = PUT_BACK

INNER_WITHIN = timedelta(minutes=10)
"""For this long we try to bring a charge point back in line; the sweepers see to the rest."""


@dataclass(frozen=True)
class CommandContext:
    """What commands work on. `party` owns the charge points' locations."""

    store: DbInterface
    party: Party
    link: ChargePointLink
    billing: Billing | None
    rules: Rules


@dataclass(frozen=True)
class Ask:
    """The charge point is to be asked; `changes` go into the command."""

    changes: JsonMapping = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """This is the result; the charge point is not to be asked (any more)."""

    body: Body


@dataclass(frozen=True)
class Elsewhere:
    """Another EVSE is to be asked."""

    cp_id: str
    changes: JsonMapping


class Kind(ABC):
    """One kind of command. `surely_unsent`: the charge point cannot have heard of it."""

    def __init__(self, context: CommandContext) -> None:
        self.context = context
        self.store = context.store
        self.db = context.store.db

    async def prepare(self, tx: Tx, command: Command) -> Ask | Decided | Elsewhere:
        """Before the charge point is asked for the first time."""
        return Ask()

    @abstractmethod
    async def ask(self, command: Command, timeout_s: float) -> Any:
        """Raises LinkUnreachable."""

    @abstractmethod
    async def conclude(self, tx: Tx, command: Command, said: Any) -> Decided | Elsewhere:
        """What follows from what `ask` brought."""

    @abstractmethod
    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        """The result of a command whose deadline has passed; what is owed is put in the queue."""

    async def owe(self, tx: Tx, kind: str, command: Command, also: Command) -> None:
        """A command of our own to the same charge point, that nobody waits for."""
        deadline = tx.now + INNER_WITHIN
        await command_queue.add(tx, kind, cp_id=command["cp_id"], deadline=deadline, also=also)

    async def places(self, tx: Tx, command: Command) -> list[Place]:
        """The EVSEs of the command's location as they are now; none if it is gone."""
        content = command["content"]
        location = await location_with_evse(tx, content["evse_uid"], content["location_id"])
        if location is None:
            return []
        try:
            return await places_of(tx, location, None)
        except UnknownLocationInCommand:
            return []


_RESULTS = {
    LinkResult.ACCEPTED: "ACCEPTED",
    LinkResult.REJECTED: "REJECTED",
    LinkResult.OCCUPIED: "EVSE_OCCUPIED",
    LinkResult.INOPERATIVE: "EVSE_INOPERATIVE",
    LinkResult.FAULT: "EVSE_INOPERATIVE",
    LinkResult.RESERVED: "REJECTED",
    LinkResult.UNKNOWN_SESSION: "REJECTED",
    LinkResult.SESSION_ENDED: "REJECTED",
    LinkResult.UNKNOWN_RESERVATION: "UNKNOWN_RESERVATION",
    LinkResult.UNLOCK_FAILED: "FAILED",
    LinkResult.NOT_SUPPORTED: "NOT_SUPPORTED",
}
_MESSAGES = {
    LinkResult.RESERVED: "The EVSE is reserved for another driver",
    LinkResult.UNKNOWN_SESSION: "The charge point does not know the session",
    LinkResult.SESSION_ENDED: "The session has ended at the charge point",
    LinkResult.FAULT: "The EVSE has a fault",
}
TRY_NEXT = frozenset(
    {LinkResult.OCCUPIED, LinkResult.INOPERATIVE, LinkResult.FAULT, LinkResult.RESERVED}
)
"""Where the EVSE was ours to choose, another one may say yes."""


def body_of(said: LinkAnswer) -> Body:
    """A CommandResult out of what the charge point said."""
    return result_body(_RESULTS[said.result], said.message or _MESSAGES.get(said.result))


def timed_out() -> Body:
    return result_body("TIMEOUT")


def cp_id_of(command: Command) -> str:
    """The charge point of a command that is carried out at one: all that get as far as a Kind."""
    cp_id = command["cp_id"]
    assert cp_id is not None  # noqa: S101
    return cp_id


def session_id_of(command: Command) -> str:
    """The session of a command that is about one."""
    session_id = command["session_id"]
    assert session_id is not None  # noqa: S101
    return session_id
