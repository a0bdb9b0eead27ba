"""A transaction as a value (a unit of work): the store, MongoDB's session, and one `now`.

Functions that write inside a transaction take it as `tx`; whoever has none cannot call them.
`now` is the database's clock at the start of the attempt: one time for all that it writes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from db_interface.remembered import Remembered

if TYPE_CHECKING:
    from db_interface.database import Database
    from db_interface.interface import DbInterface
    from db_interface.joint.works import Part
    from db_interface.writers import InFlight

T = TypeVar("T")
AtEnd = Callable[["Tx", list[object]], Awaitable[None]]


@dataclass(frozen=True)
class Tx:
    """Made by `DbInterface.transact` alone, and good until its work ends."""

    store: DbInterface
    mongo: Any
    """The driver's session, for its `session=` argument; None with a mock, which has none."""
    now: datetime
    in_flight: InFlight
    """Its stamp, its places in the order of creation, and what lets it commit."""
    said: list[Callable[[], None]] = field(default_factory=list, compare=False)
    """Lines of log, and counts, that wait for the commit."""
    joint: Part | None = None
    """Its side of a transaction that it shares with others."""
    _remembered: dict[str, Remembered] = field(default_factory=dict, compare=False)
    _at_end: dict[AtEnd, list[object]] = field(default_factory=dict, compare=False)

    def say(self, log: Callable[..., None], text: str, *values: object) -> None:
        """Log the line (`tx.say(logger.info, "%s has ended", id)`) once the transaction is
        committed: an attempt that is undone has said nothing, and one that is repeated says it
        once."""
        self.said.append(partial(log, text, *values))

    def once_committed(self, count: Callable[..., None], *values: object) -> None:
        """Call `count(*values)`, which does not wait and cannot fail, once the transaction is
        committed: what was undone was not, and what was repeated was once."""
        self.said.append(partial(count, *values))

    def at_end(self, write: Callable[[Tx, list[T]], Awaitable[None]], one: T) -> None:
        """Let `write(tx, all)` be called once when the work is done, just before the commit, with
        all that was handed over: one round trip for what comes up here and there."""
        self._at_end.setdefault(cast("AtEnd", write), []).append(one)

    async def finish(self) -> None:
        """Write what was left for the end. For `DbInterface.transact`, which calls it."""
        while self._at_end:
            write = next(iter(self._at_end))
            await write(self, self._at_end.pop(write))

    def remembered_of(self, collection: str) -> Remembered | None:
        """What was read of it in this transaction; None: a mock, which has none."""
        if self.mongo is None:
            return None
        found = self._remembered.get(collection)
        if found is None:
            found = self._remembered[collection] = Remembered()
        return found

    def waiting(self) -> list[str]:
        """The collections of which something is still to be written."""
        return [name for name, kept in self._remembered.items() if kept.waits]

    def driver_of(self, collection: str) -> Any:
        """The driver's collection, or this work's side of it."""
        driver = self.db[collection]
        return driver if self.joint is None else self.joint.collection(driver)

    @property
    def db(self) -> Database:
        return self.store.db
