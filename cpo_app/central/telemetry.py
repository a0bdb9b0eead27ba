"""Telemetry of the engines: taken in order, each message once, or not at all.

A batch, what follows from it and its acknowledgement are one transaction: when Central dies in
the middle the engine sends it again, and when the answer was lost the second time changes
nothing. Which session a message means is not known here: that is its handlers' business.

Handlers run after Central's own state has followed the message, in the order in which they are
listed (charging.handlers), inside the batch's transaction, possibly more than once (it is
retried): they change nothing but the database, through `tx`. One may raise MessageRefused, before
anything is written, for a message that it can make nothing of; those after it are left out.

No message holds up those behind it for ever: one that breaks its batch off again and again is set
aside as a dead letter (domain.charge_points.dead_letters), and so is what was refused.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cpo_app.central import metrics
from cpo_app.central.door import Door
from cpo_app.central.meter_batches import MeterBatch, MeterBatches
from cpo_app.central.precedence import Precedence
from cpo_app.central.wire import KINDS, MeterMessage, TelemetryBody
from db_interface.database import is_passing
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.charge_points import charge_points, dead_letters
from domain.charge_points.charge_point_events import NewsTaken, StateReported, TelemetryTaken
from domain.charge_points.dead_letters import MAX_TRIES, DeadLetter, letter, letter_id
from domain.charge_points.engine_clocks import EngineClock, by_our_clock, observed
from domain.charge_points.evse_states import ConnectorState
from domain.sites import Party

logger = logging.getLogger("cpo.central")

MAX_TURNING = 4
"""Readings with which something turns that are taken at once: they leave room for what presses."""

Message = JsonObject
"""A message as cpo_app.central.wire has it, `at` as aware datetime."""


@dataclass(frozen=True)
class Handler:
    """Sees every message of `kind`: `handle(tx, charge_point, message)`."""

    kind: str
    handle: Callable[[Tx, charge_points.ChargePoint, Message], Awaitable[None]]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: not a kind of message")


class MessageRefused(Exception):
    """A handler can make nothing of the message; it counts as taken, and is kept for a while."""


class NotTaken(Exception):
    """Taking the message `seq` broke off with `error`, which is its own doing."""

    def __init__(self, letter_id: str, seq: int, error: Exception) -> None:
        super().__init__(f"message {seq}: {reason_of(error)}")
        self.letter_id = letter_id
        self.seq = seq
        self.error = error


class Telemetry:
    def __init__(
        self,
        store: DbInterface,
        party: Party,
        handlers: Sequence[Handler],
        quick: MeterBatches | None = None,
        precedence: Precedence | None = None,
        door: Door | None = None,
    ) -> None:
        """`quick`: takes meter values with which nothing turns, as the handlers would. `door`: by
        which what is received comes in."""
        self._store = store
        self._party = party
        self._handlers = tuple(handlers)
        self._quick = quick
        self._precedence = precedence or Precedence()
        self._door = door or Door(MAX_TURNING)
        self._turning = asyncio.Semaphore(MAX_TURNING)

    async def receive(self, body: TelemetryBody, received_at: datetime) -> int:
        """`take` of a batch as it came in. Raises Overloaded for meter values, too many of which
        wait already."""
        sent_at: datetime | None = body.sent_at
        meters = [message for message in body.messages if isinstance(message, MeterMessage)]
        if len(meters) < len(body.messages):
            with self._precedence.pressing():
                return await self._take_whole(body, received_at)
        if self._quick is not None:
            batch = MeterBatch(body.cp_id, body.boot_id, meters, received_at, sent_at)
            with self._door.standing_aside(body.cp_id):
                acked = await self._quick.take(batch)
            if acked is not None:
                return acked
        async with AsyncExitStack() as turn:
            with self._door.standing_aside(body.cp_id):
                await turn.enter_async_context(self._turning)
                await self._precedence.give_way()
            return await self._take_whole(body, received_at)

    async def _take_whole(self, body: TelemetryBody, received_at: datetime) -> int:
        messages = [message.dict() for message in body.messages]
        return await self.take(
            body.cp_id, body.boot_id, messages, received_at, sent_at=body.sent_at
        )

    async def take(
        self,
        cp_id: str,
        boot_id: str,
        messages: Sequence[Message],
        received_at: datetime,
        *,
        sent_at: datetime | None = None,
    ) -> int:
        """Apply what is new of `messages` (ascending seq); up to which seq all is taken now.

        `sent_at`: when `received_at` was by the engine's clock. Their times are moved to our
        clock by what lies between (engine_clocks).

        Raises what a handler raised, with nothing taken; the third time for the same message,
        takes those before it and sets it aside: the rest of the batch is for the next request.
        """
        aside: NotTaken | None = None
        while True:
            work = partial(
                self._take,
                cp_id=cp_id,
                boot_id=boot_id,
                messages=messages,
                received_at=received_at,
                sent_at=sent_at,
                aside=aside,
            )
            try:
                return await self._store.transact_jointly(work, cp_id.lower())
            except NotTaken as broken:
                tries = await dead_letters.count_try(self._store.db, broken.letter_id)
                if tries < MAX_TRIES:
                    raise broken.error from None
                aside = broken
                messages = [message for message in messages if message["seq"] <= broken.seq]

    async def take_in(
        self,
        tx: Tx,
        cp_id: str,
        messages: Sequence[Message],
        *,
        clock: EngineClock | None = None,
    ) -> list[str]:
        """Apply messages without a `seq`, in the caller's transaction: for a link that keeps
        account itself of what it has taken. Their `at` is by our clock; `clock`: how far its
        charge point's is off.

        The ids of the dead letters that were made of what was refused. Raises what a handler
        raised.
        """
        key = await charge_points.canonical_id(tx, cp_id) or cp_id
        batch = uuid.uuid4().hex
        meters: dict[str, Message] = {}
        letters: list[DeadLetter] = []
        for number, message in enumerate(messages, 1):
            if message["kind"] == "meter":
                meters[message["connector_id"]] = _reading(message)
            try:
                if message["kind"] == "state":
                    await self._follow(tx, key, message)
                await self._hand_over(tx, key, message)
            except MessageRefused as refused:
                letters.append(_refused(tx, key, batch, {**message, "seq": number}, refused))
        await dead_letters.keep(tx, letters)
        await charge_points.apply(tx, self._party, key, NewsTaken(meters, clock))
        if messages:
            metrics.kept(tx, messages[-1]["at"])
        return [one["_id"] for one in letters]

    async def replay(self, id_: str) -> str | None:
        """Hand a dead letter to the handlers again. None: it is taken, and gone; else why not.

        Its state does not become the charge point's: it is of the past. Raises NoSuchLetter.
        """

        async def work(tx: Tx) -> None:
            kept = await dead_letters.remove(tx, id_)
            message = dead_letters.message_of(kept)
            try:
                await self._hand_over(tx, kept["cp_id"], message)
            except Exception as error:
                if is_passing(error) or isinstance(error, MessageRefused):
                    raise
                raise NotTaken(id_, message["seq"], error) from error
            about = audit.charge_point(kept["cp_id"]), About("message", id_)
            before = {"message": kept["kind"], "reason": kept["reason"]}
            await audit.record(
                tx, "charge_points.replay", *about, before=before, after={"taken": True}
            )

        why = None
        try:
            await self._store.transact(work)
        except MessageRefused as error:
            why, refused = str(error), True
        except NotTaken as broken:
            logger.error("dead letter %s failed again", id_, exc_info=broken.error)
            why, refused = reason_of(broken.error), False
        if why is None:
            logger.info("dead letter %s was taken", id_)
            return None
        said = why

        async def note(tx: Tx) -> None:
            await dead_letters.not_taken_again(tx, id_, said, refused=refused)

        await self._store.transact(note)
        return why

    async def _take(
        self,
        tx: Tx,
        cp_id: str,
        boot_id: str,
        messages: Sequence[Message],
        received_at: datetime,
        sent_at: datetime | None,
        aside: NotTaken | None,
    ) -> int:
        key = await charge_points.canonical_id(tx, cp_id) or cp_id
        known = await charge_points.get(tx, key)
        boots = known["boots"] if known else []
        acked = next((boot["seq"] for boot in boots if boot["boot_id"] == boot_id), 0)
        new = [message for message in messages if message["seq"] > acked]
        if not new:
            return acked
        clock = None
        if sent_at is not None:
            clock = observed((known or {}).get("clock"), boot_id, sent_at, received_at)
        new = [{**m, "at": by_our_clock(m["at"], clock, received_at)} for m in new]
        # What an engine said before it started anew tells nothing of the connectors of today.
        outdated = any(boot["boot_id"] == boot_id for boot in boots[:-1])
        meters: dict[str, Message] = {}
        letters: list[DeadLetter] = []
        for message in new:
            if aside is not None and message["seq"] == aside.seq:
                letters.append(_set_aside(tx, key, boot_id, message, aside.error))
                continue
            if message["kind"] == "meter" and not outdated:
                meters[message["connector_id"]] = _reading(message)
            try:
                if message["kind"] == "state" and not outdated:
                    await self._follow(tx, key, message)
                await self._hand_over(tx, key, message)
            except MessageRefused as refused:
                letters.append(_refused(tx, key, boot_id, message, refused))
            except Exception as error:
                if is_passing(error):
                    raise
                one = letter_id(key, boot_id, message["seq"])
                raise NotTaken(one, message["seq"], error) from error
        await dead_letters.keep(tx, letters)
        seq: int = new[-1]["seq"]
        taken = TelemetryTaken(boot_id, seq, meters, clock)
        await charge_points.apply(tx, self._party, key, taken)
        metrics.kept(tx, new[-1]["at"])
        return seq

    async def _follow(self, tx: Tx, key: str, message: Message) -> None:
        event = StateReported(
            connector_id=message["connector_id"],
            state=ConnectorState(message["state"]),
            ev_state=message["ev_state"],
            at=message["at"],
            error_code=message.get("error_code"),
            session_id=message.get("session_id"),
        )
        await charge_points.apply(tx, self._party, key, event)

    async def _hand_over(self, tx: Tx, key: str, message: Message) -> None:
        handlers = [one for one in self._handlers if one.kind == message["kind"]]
        if not handlers:
            return
        charge_point = await charge_points.get(tx, key) or {"_id": key}
        for handler in handlers:
            await handler.handle(tx, charge_point, message)


def reason_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _set_aside(tx: Tx, key: str, boot_id: str, message: Message, error: Exception) -> DeadLetter:
    tx.say(
        logger.error,
        "%s: %s message %d cannot be taken and is set aside: %s (cpo charge-points dead-letters)",
        key,
        message["kind"],
        message["seq"],
        reason_of(error),
    )
    return letter(tx, key, boot_id, message, reason_of(error), refused=False)


def _refused(
    tx: Tx, key: str, boot_id: str, message: Message, refused: MessageRefused
) -> DeadLetter:
    said = "%s: %s message %d refused: %s"
    tx.say(logger.warning, said, key, message["kind"], message["seq"], refused)
    return letter(tx, key, boot_id, message, str(refused), refused=True)


def _reading(message: Message) -> Message:
    return {name: value for name, value in message.items() if name not in ("kind", "connector_id")}
