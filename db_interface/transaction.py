"""A transaction as a value (a unit of work): the store, MongoDB's session, and one `now`.

Functions that write inside a transaction take it as `tx`; whoever has none cannot call them.
`now` is the database's clock at the start of the attempt: one time for all that it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db_interface.database import Database
    from db_interface.interface import DbInterface
    from db_interface.writers import InFlight


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
    """Lines of log that wait for the commit."""

    def say(self, log: Callable[..., None], text: str, *values: object) -> None:
        """Log the line (`tx.say(logger.info, "%s has ended", id)`) once the transaction is
        committed: an attempt that is undone has said nothing, and one that is repeated says it
        once."""
        self.said.append(partial(log, text, *values))

    @property
    def db(self) -> Database:
        return self.store.db


def mongo_session(tx: Tx | None) -> Any:
    """For reads that may stand inside a transaction or outside: the driver's argument."""
    return None if tx is None else tx.mongo
