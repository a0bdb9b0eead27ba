"""Works that wait at the same time are done in one transaction (a group commit).

Who comes while little is under way is done at once, by itself. Else it waits until something ends,
and is done with all that wait then. Those of the same key (a charge point, a station) are never in
one transaction: the second is to see what the first has done.

A transaction of several that cannot be committed as one (works met in it, one of them failed after
it had written) is undone, and tried again without those that were to blame. These, or all of them
where that is not known, are done by themselves: what becomes of each is what would have become of
it alone.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pymongo.errors import PyMongoError

from db_interface.collection import write_what_waits
from db_interface.joint.collection import JointCollection
from db_interface.joint.session import Driven, JointSession
from db_interface.joint.touches import Crossed
from db_interface.transaction import Tx

if TYPE_CHECKING:
    from db_interface.interface import DbInterface
    from db_interface.writers import InFlight

logger = logging.getLogger("cpo.store")

MAX_UNDER_WAY = 1
"""Transactions of such works; whoever comes then waits for others. More would be quicker for two
that come together, and dearer for a hundred: each brings fewer, and meets more of what others
write."""
MAX_TOGETHER = 24
MAX_TRIES = 3
"""So often works are tried together that others' writes get in the way of."""
WAITS_AT_MOST_S = 0.5
"""Whoever has waited for so long is begun, whatever is under way: it may be stuck."""
_APART_FOR_S = 30.0
"""Works of keys that met others of the same transaction are done by themselves for so long."""


MAX_WITHOUT = 2
"""So often works are tried together again without some of them."""


class _Apart(Exception):
    """They cannot be done together: because of these, or of nobody knows which."""

    def __init__(self, *parts: int) -> None:
        self.parts = parts


@dataclass
class _Waiting:
    work: Callable[[Tx], Awaitable[object]]
    key: str
    outcome: asyncio.Future[object]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


@dataclass
class _Outcome:
    value: object = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Part:
    """One work's side of a joint transaction, which its `Tx` holds."""

    joint: JointSession
    number: int

    def collection(self, driver: Driven) -> JointCollection:
        return JointCollection(self.joint, self.number, driver)


class JointWorks:
    """One per `DbInterface`."""

    def __init__(self, store: DbInterface) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._under_way = 0
        self._groups: set[asyncio.Task[None]] = set()
        self._apart: dict[str, float] = {}

    async def transact(self, work: Callable[[Tx], Awaitable[object]], key: str) -> object:
        """As `DbInterface.transact_jointly`."""
        key = key.lower()  # as ids are the same however they are written
        busy = self._under_way >= MAX_UNDER_WAY and self._store.db.transactions
        if not busy or self._is_apart(key):
            self._under_way += 1
            try:
                return await self._store.transact(work)
            finally:
                self._ended()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(work, key, loop.create_future())
        self._waiting.append(waiting)
        too_long = loop.call_later(WAITS_AT_MOST_S, self._begin_if_waiting, waiting)
        try:
            return await waiting.outcome
        finally:
            too_long.cancel()
            if waiting in self._waiting:  # whoever asked has given up
                self._waiting.remove(waiting)

    def _is_apart(self, key: str) -> bool:
        return self._apart.get(key, 0.0) > time.monotonic()

    def _ended(self) -> None:
        self._under_way -= 1
        if self._waiting and self._under_way < MAX_UNDER_WAY:
            self._begin()

    def _begin_if_waiting(self, one: _Waiting) -> None:
        if one in self._waiting:
            self._begin()

    def _begin(self) -> None:
        self._under_way += 1
        # In nobody's context: each work has its own.
        group = contextvars.Context().run(asyncio.create_task, self._do_those_that_wait())
        self._groups.add(group)
        group.add_done_callback(self._groups.discard)

    async def _do_those_that_wait(self) -> None:
        group = self._taken()
        if not group:  # those that waited have given up
            self._ended()
            return
        doing = asyncio.create_task(self._done(group))
        doing.add_done_callback(lambda _: [one.outcome.cancel() for one in group])
        try:
            # Until nobody waits any more: then it is broken off, as it would be for each of them.
            await asyncio.wait([one.outcome for one in group])
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            self._ended()

    def _taken(self) -> list[_Waiting]:
        """Of each key the first that waits."""
        group: dict[str, _Waiting] = {}
        for one in self._waiting:
            if len(group) < MAX_TOGETHER:
                group.setdefault(one.key, one)
        taken = list(group.values())
        self._waiting = [one for one in self._waiting if one not in taken]
        return taken

    async def _done(self, group: Sequence[_Waiting]) -> None:
        together, alone = list(group), list[_Waiting]()
        for _ in range(1 + MAX_WITHOUT):
            if len(together) < 2:
                break
            try:
                _tell(together, await self._done_together(together))
                together = []
            except _Apart as why:
                logger.debug("%d works are done apart: %r", len(group), why.__cause__)
                blamed = [together[part] for part in why.parts] or together
                alone += blamed
                together = [one for one in together if one not in blamed]
            except Exception as error:  # of the store: it is everybody's
                _tell(together, [_Outcome(error=error) for _ in together])
                together = []
        alone += together
        _tell(
            alone, await asyncio.gather(*(_in(one.context, self._done_alone(one)) for one in alone))
        )

    async def _done_alone(self, one: _Waiting) -> _Outcome:
        try:
            return _Outcome(await self._store.transact(one.work))
        except Exception as error:
            return _Outcome(error=error)

    async def _done_together(self, group: Sequence[_Waiting]) -> Sequence[_Outcome]:
        tries = 0
        parts: list[Tx] = []
        outcomes: Sequence[_Outcome] = []

        async def attempt(mongo: object, in_flight: InFlight) -> None:
            nonlocal tries, parts, outcomes
            tries += 1
            if tries > MAX_TRIES:
                raise _Apart
            joint = JointSession(self._store.db, mongo, len(group))
            parts = [
                Tx(self._store, mongo, in_flight.now, in_flight, joint=Part(joint, number))
                for number in range(len(group))
            ]
            doing = [
                _in(one.context, self._do(one, tx, joint))
                for one, tx in zip(group, parts, strict=True)
            ]
            try:
                outcomes = await asyncio.gather(*doing)
            finally:
                for task in doing:
                    task.cancel()
                await joint.close()
            self._judge(group, joint, outcomes)

        await self._store.db.run_in_transaction(attempt)
        for one, tx, outcome in zip(group, parts, outcomes, strict=True):
            if outcome.error is None:
                for say in tx.said:
                    one.context.run(say)
        return outcomes

    async def _do(self, one: _Waiting, tx: Tx, joint: JointSession) -> _Outcome:
        try:
            value = await one.work(tx)
            await tx.finish()
            await write_what_waits(tx)
            return _Outcome(value)
        except Exception as error:
            return _Outcome(error=error)
        finally:
            joint.part_ended()

    def _judge(
        self, group: Sequence[_Waiting], joint: JointSession, outcomes: Sequence[_Outcome]
    ) -> None:
        """Return if what was written may be committed. What fails before it has written anything
        is its own affair."""
        broken = joint.broken
        if isinstance(broken, Crossed):
            now = time.monotonic()
            self._apart = {key: until for key, until in self._apart.items() if until > now}
            self._apart.update((group[part].key, now + _APART_FOR_S) for part in broken.parts)
            raise _Apart(*broken.parts) from broken
        if isinstance(broken, PyMongoError) and (
            broken.has_error_label("TransientTransactionError") or broken.timeout
        ):
            raise broken
        if broken is not None:
            raise _Apart from broken
        for number, outcome in enumerate(outcomes):
            if outcome.error is not None and number in joint.touches.writers:
                raise _Apart(number) from outcome.error


def _tell(group: Sequence[_Waiting], outcomes: Sequence[_Outcome]) -> None:
    for one, outcome in zip(group, outcomes, strict=True):
        if one.outcome.done():
            continue
        if outcome.error is not None:
            one.outcome.set_exception(outcome.error)
        else:
            one.outcome.set_result(outcome.value)


def _in(
    context: contextvars.Context, work: Coroutine[object, object, _Outcome]
) -> asyncio.Task[_Outcome]:
    return context.run(asyncio.create_task, work)
