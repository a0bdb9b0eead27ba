"""The steps that every kind of command consists of, and what they work on.

`prepare`, `conclude` and `expired` run inside the transaction that moves the command on, and may
run more than once: they change nothing but the store. `ask` changes nothing but the charge
point, and bears the command's id, so that asking again is harmless. The worker alone tells peers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cpo_app.central.link.link import ChargePointLink, LinkAnswer, LinkResult
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.commands import command_queue
from domain.commands.command_intake import result_body
from domain.commands.command_targets import Place, places_of
from domain.errors import UnknownLocationInCommand
from domain.reservations.reservations import Billing
from domain.sessions.charging_sessions import Rules
from domain.sites import Party

Command = dict[str, Any]
Body = dict[str, Any]

INNER_STOP = "INNER_STOP"
INNER_RELEASE = "INNER_RELEASE"
INNER_RESERVE = "INNER_RESERVE"
INNER_PROFILE = "INNER_PROFILE"

INNER_WITHIN = timedelta(minutes=10)
"""So long we try to bring a charge point back in line; the sweepers see to the rest."""


@dataclass(frozen=True)
class CommandContext:
    """What commands work on. `party` owns the charge points' locations."""

    store: DbInterface
    party: Party
    link: ChargePointLink
    billing: Billing | None
    rules: Rules
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Ask:
    """The charge point is to be asked; `changes` go into the command."""

    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """This is the result; the charge point is not to be asked (any more)."""

    body: Body


@dataclass(frozen=True)
class Elsewhere:
    """Another EVSE is to be asked."""

    cp_id: str
    changes: Mapping[str, Any]


class Kind(ABC):
    """One kind of command. `surely_unsent`: the charge point cannot have heard of it."""

    def __init__(self, context: CommandContext) -> None:
        self.context = context
        self.store = context.store
        self.db = context.store.db

    async def prepare(self, command: Command, now: datetime, tx: Tx) -> Ask | Decided | Elsewhere:
        """Before the charge point is asked for the first time."""
        return Ask()

    @abstractmethod
    async def ask(self, command: Command, timeout_s: float) -> Any:
        """Raises LinkUnreachable."""

    @abstractmethod
    async def conclude(
        self, command: Command, said: Any, now: datetime, tx: Tx
    ) -> Decided | Elsewhere:
        """What follows from what `ask` brought."""

    @abstractmethod
    async def expired(
        self, command: Command, now: datetime, tx: Tx, *, surely_unsent: bool
    ) -> Body:
        """The result of a command whose deadline has passed; what is owed is put in the queue."""

    async def owe(self, kind: str, cp_id: str, now: datetime, tx: Tx, **fields: Any) -> None:
        """A command of our own, that nobody waits for."""
        deadline = now + INNER_WITHIN
        await command_queue.add(
            self.db, kind, cp_id=cp_id, now=now, deadline=deadline, tx=tx, **fields
        )

    async def places(self, command: Command, now: datetime, tx: Tx) -> list[Place]:
        """The EVSEs of the command's location as they are now; none if it is gone."""
        content = command["content"]
        found = await self.db["locations"].find_one(
            {"lid": content["location_id"].lower(), "links.evse": content["evse_uid"].lower()},
            session=tx.mongo,
        )
        if found is None:
            return []
        try:
            return await places_of(self.db, found["fields"], None, now, tx)
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
