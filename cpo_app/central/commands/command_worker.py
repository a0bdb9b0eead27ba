"""Carries commands out: from the store to the charge point, and the result to the peer.

Runs in every worker process. A command is claimed under a lease that is prolonged while it is
worked on; who dies lets go of it, and the next one goes on at the state that was written last.
Charge points are served side by side, each one's commands in order; so are peers, none of which
can take more than its share. Wakes at once for commands of its own process (`wake`), and looks
once a second for others'. At the deadline the result is TIMEOUT, whoever holds the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from typing import Any

from cpo_app.central import metrics
from cpo_app.central.commands.command_steps import Ask, Decided, Elsewhere, Kind
from cpo_app.central.link.link import LinkUnreachable
from cpo_app.central.precedence import Precedence
from cpo_app.log_ids import bound
from cpo_app.otlp.spans import Span, span
from db_interface.backoff import Backoff
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.commands import command_queue as queue
from domain.commands.command_delivery import Deliver, Delivery, NotDelivered
from domain.commands.command_queue import Command, LeaseLost, ToDo
from domain.commands.command_states import FINAL, OPEN, Event, State
from domain.log_events import event, log_event
from domain.rounds import Rounds

logger = logging.getLogger("cpo.commands")

PAUSE_S = 1.0
GATHERED_FOR_S = 0.02
LEASE_S = 4.0
ATTEMPT_S = 10.0
"""One question to a charge point; the next attempt bears the same id."""
ASK_AGAIN = Backoff(first_s=0.5, max_s=5.0)
TELL_AGAIN = Backoff(first_s=1.0, max_s=15.0)
LAST_TRY_S = 10.0
"""For a result that comes too late before anybody has tried to deliver it."""
MAX_AT_ONCE = 200
MAX_PER_PEER = 8


class CommandWorker:
    """`kinds` by the name of the command. `wake` is safe to call from the loop's own tasks."""

    def __init__(
        self,
        store: DbInterface,
        kinds: Mapping[str, Kind],
        deliver: Deliver,
        *,
        lease_s: float = LEASE_S,
        pause_s: float = PAUSE_S,
        precedence: Precedence | None = None,
    ) -> None:
        self._store = store
        self._db = store.db
        self._kinds = kinds
        self._deliver = deliver
        self._lease_s = lease_s
        self._pause_s = pause_s
        self._precedence = precedence or Precedence()
        self._looked_at = float("-inf")
        self._name = uuid.uuid4().hex[:12]
        self._lanes: set[str] = set()
        self._peers: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.rounds = Rounds("commands", self._turn, pause_s, logger=logger)

    def start(self) -> None:
        """Work in the background until `stop`."""
        self.rounds.start()

    async def stop(self) -> None:
        """Let go of everything at once; other workers go on with it."""
        await self.abandon()
        with contextlib.suppress(*STORE_ERRORS):
            await queue.release_all(self._db, self._name, self._db.now())

    async def abandon(self) -> None:
        """Stop as if killed: what is under way stays as it is until its lease ends."""
        await self.rounds.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """There is something to do."""
        self.rounds.wake()

    async def _turn(self) -> None:
        # Where much happens, one look is for all of it.
        await asyncio.sleep(self._looked_at + GATHERED_FOR_S - time.monotonic())
        self._looked_at = time.monotonic()
        self.rounds.within(await self.round())

    async def round(self) -> float:
        """Take what is due and free; it goes on beside the caller. Returns the seconds until there
        is something to do that was not there when this round looked."""
        found = await self._to_do()
        for command_id in found.overdue:
            await self._expire(command_id)
        if found.overdue:
            # Their results are there to be delivered.
            found = await self._to_do()
        waiting = [row for row in found.for_charge_points if _lane_of(row) not in self._lanes]
        for row in await queue.first_in_line(self._db, waiting):
            lane = _lane_of(row)
            if len(self._lanes) < MAX_AT_ONCE and lane not in self._lanes:
                self._lanes.add(lane)
                self._beside(self._serve(row), partial(self._lanes.discard, lane))
        for row in found.for_peers:
            peer_id = row["delivery"]["peer_id"] if "delivery" in row else ""
            if self._peers[peer_id] < MAX_PER_PEER and self._peers.total() < MAX_AT_ONCE:
                self._peers[peer_id] += 1
                self._beside(self._tell(row["_id"]), partial(self._left, peer_id))
        if found.next_instant is None:
            return self._pause_s
        return max(0.0, (found.next_instant - self._db.now()).total_seconds())

    async def _to_do(self) -> ToDo:
        pause = timedelta(seconds=self._pause_s)
        return await queue.to_do(self._db, self._db.now(), pause, MAX_AT_ONCE)

    def _left(self, peer_id: str) -> None:
        self._peers[peer_id] -= 1
        if not self._peers[peer_id]:
            del self._peers[peer_id]

    def _beside(self, work: Coroutine[object, object, None], after: Callable[[], None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            after()
            self.wake()

        task.add_done_callback(ended)

    async def _guarded(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except LeaseLost:
            pass  # the deadline, or another worker, was faster
        except STORE_ERRORS as error:
            logger.warning("a command waits for the store: %s", type(error).__name__)
            await asyncio.sleep(self._pause_s)
        except Exception:  # it is tried again when its lease ends, until its deadline
            logger.exception("a command failed")

    # --- a charge point -------------------------------------------------------------------

    async def _serve(self, row: Command) -> None:
        """The first command of a charge point, one attempt."""
        command = await self._claim(row["_id"], OPEN)
        if command is None:
            return
        with _ids_of(command), _span_of("carry out", command):
            await self._ask(command)

    async def _ask(self, command: Command) -> None:
        async with self._held(command) as hold:
            with hold.writing():
                sent = await self._send(command)
            if sent is None:
                return
            kind = self._kinds[sent["kind"]]
            left_s = (sent["deadline"] - self._db.now()).total_seconds()
            if left_s <= 0:
                return
            try:
                said = await kind.ask(sent, min(ATTEMPT_S, left_s))
            except LinkUnreachable as error:
                await self._try_again(sent, error)
                return
            with hold.writing(), self._precedence.pressing():
                await self._store.transact_jointly(
                    lambda tx: self._conclude(tx, sent, said), _lane_of(sent)
                )
            logger.info("command %s: %s answered by the charge point", sent["_id"], sent["kind"])

    async def _send(self, command: Command) -> Command | None:
        """Write down that the charge point is about to be asked; None: there is no need."""
        kind = self._kinds[command["kind"]]

        async def work(tx: Tx) -> Command | None:
            changes: dict[str, object] = {"attempts": command["attempts"] + 1}
            if command["state"] == State.SENT.value:
                return await queue.advance(tx, command, Event.SEND, changes)
            outcome = await kind.prepare(tx, command)
            if isinstance(outcome, Ask):
                changes |= {"sent_at": tx.now, **outcome.changes}
                return await queue.advance(tx, command, Event.SEND, changes)
            await self._follow(tx, command, outcome)
            return None

        with self._precedence.pressing():
            return await self._store.transact_jointly(work, _lane_of(command))

    async def _conclude(self, tx: Tx, command: Command, said: Any) -> None:
        kind = self._kinds[command["kind"]]
        await self._follow(tx, command, await kind.conclude(tx, command, said))

    async def _follow(self, tx: Tx, command: Command, outcome: Decided | Elsewhere) -> None:
        if isinstance(outcome, Elsewhere):
            changes = {"attempts": 0, "unsent": 0, **outcome.changes}
            await queue.move(tx, command, outcome.cp_id, changes)
            return
        answered = {"result": outcome.body, "answered_at": tx.now, "due": tx.now}
        await queue.advance(tx, command, Event.ANSWERED, answered)
        result = outcome.body.get("result")
        metrics.decided(tx, command["kind"], result)
        tx.say(
            event(logger, "command.decided", kind=command["kind"], result=result),
            "command %s: %s %s",
            command["_id"],
            command["kind"],
            result,
        )

    async def _try_again(self, command: Command, error: LinkUnreachable) -> None:
        unsent = command["unsent"] + (error.sent is False)
        pause_s = ASK_AGAIN.after(command["attempts"])
        logger.info("command %s: %s", command["_id"], error)
        due = self._db.now() + timedelta(seconds=pause_s)
        await queue.put_back(self._db, command, due, unsent=unsent)

    async def _expire(self, command_id: str) -> None:
        async def work(tx: Tx) -> None:
            command = await queue.get(tx, command_id)
            if command is None or command["state"] not in OPEN or command["deadline"] > tx.now:
                return
            body = await self._kinds[command["kind"]].expired(
                tx, command, surely_unsent=command["attempts"] == command["unsent"]
            )
            expired = {"result": body, "expired_at": tx.now, "due": tx.now}
            await queue.advance(tx, command, Event.EXPIRED, expired, any_holder=True)
            metrics.decided(tx, command["kind"], body.get("result"))

        with contextlib.suppress(LeaseLost):
            await self._store.transact(work)
            logger.info("command %s: no answer in time", command_id)

    # --- a peer ---------------------------------------------------------------------------

    async def _tell(self, command_id: str) -> None:
        """Deliver a result, one attempt."""
        command = await self._claim(command_id, (State.RESULT.value,))
        if command is None:
            return
        with _ids_of(command), _span_of("bring result of", command):
            await self._bring(command)

    async def _bring(self, command: Command) -> None:
        row = command.get("delivery")
        if row is None:
            await self._finish(command, Event.CLOSE)
            return
        left_s = (row["until"] - self._db.now()).total_seconds()
        if left_s <= 0:
            if row["attempts"]:
                said = row.get("error", "its time is over")
                logger.warning("result of %s is not delivered: %s", command["_id"], said)
                await self._finish(command, Event.GIVEN_UP)
                return
            # Nobody has tried yet: the time went by while we, or the store, were away.
            left_s = LAST_TRY_S
        async with self._held(command):
            try:
                delivery = Delivery.of(row, command["result"], left_s, command["_id"])
                await self._deliver(delivery)
            except NotDelivered as error:
                await self._deliver_later(command, error)
                return
            await self._finish(command, Event.DELIVERED)
            log_event(logger, "command.result_delivered", "result of %s: delivered", command["_id"])

    async def _deliver_later(self, command: Command, error: NotDelivered) -> None:
        attempts = command["delivery"]["attempts"] + 1
        pause_s = max(TELL_AGAIN.after(attempts), error.retry_after_s or 0.0)
        due = self._db.now() + timedelta(seconds=pause_s)
        noted = {"delivery.attempts": attempts, "delivery.error": str(error)}
        if error.again and due < command["delivery"]["until"]:
            logger.info("result of %s: %s", command["_id"], error)
            await queue.put_back(self._db, command, due, **noted)
            return
        logger.warning("result of %s is not delivered: %s", command["_id"], error)
        await self._finish(command, Event.GIVEN_UP, **noted)

    async def _finish(self, command: Command, event: Event, **changes: object) -> None:
        changes["finished_at"] = self._db.now()
        after = await queue.advance(self._db, command, event, changes)
        assert after["state"] in FINAL  # noqa: S101 (the table says so)

    # --- leases ---------------------------------------------------------------------------

    async def _claim(self, command_id: str, states: tuple[str, ...]) -> Command | None:
        lease = f"{self._name}:{uuid.uuid4().hex[:12]}"
        return await queue.claim(self._db, command_id, states, self._db.now(), lease, self._lease_s)

    @contextlib.asynccontextmanager
    async def _held(self, command: Command) -> AsyncIterator[_Hold]:
        """Prolong the lease while the block runs."""
        hold = _Hold()
        keeping = asyncio.create_task(self._keep(command, hold))
        try:
            yield hold
        finally:
            keeping.cancel()

    async def _keep(self, command: Command, hold: _Hold) -> None:
        spared = False
        while True:
            await asyncio.sleep(self._lease_s / 3)
            spared = hold.is_writing and not spared
            if spared:
                continue  # there is time for one more look, and the transaction would begin anew
            with contextlib.suppress(*STORE_ERRORS):
                if not await queue.prolong(self._db, command, self._db.now(), self._lease_s):
                    return


class _Hold:
    """A command that this worker holds."""

    def __init__(self) -> None:
        self.is_writing = False
        """Whether a transaction that changes it is under way: nothing else is to change it."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        self.is_writing = True
        try:
            yield
        finally:
            self.is_writing = False


def _lane_of(row: Command) -> str:
    return row["cp_id"] or row["_id"]


def _ids_of(command: Command) -> AbstractContextManager[None]:
    """For the log: the peer's request that led to the command is found in every line."""
    return bound(
        command_id=command["_id"],
        cp_id=command.get("cp_id"),
        peer_id=command.get("peer_id"),
        correlation_id=(command.get("delivery") or {}).get("correlation_id"),
        traceparent=command.get("traceparent"),
    )


def _span_of(what: str, command: Command) -> AbstractContextManager[Span]:
    return span(f"{what} {command['kind']}", "internal", {"cpo.command_id": command["_id"]})
