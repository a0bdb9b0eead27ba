"""The one connection to MongoDB: client options, transactions, waiting for the server.

Every write that was answered is journaled and acknowledged by a majority. Nothing here
knows what is stored; the collections' shapes are the callers' business.

Nobody waits for ever: an operation that no server answers within ANSWER_WITHIN_S fails, whether
the server is gone, hangs, or has an election; and a transaction with it.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern

from db_interface.backoff import Backoff
from db_interface.clocks import Clock, HostClock
from db_interface.database_clock import MAX_HOST_OFF, DatabaseClock
from db_interface.json_data import JsonObject
from db_interface.patience import InTime, one_patience
from db_interface.reachability import Reachability
from db_interface.writers import InFlight, Writers

logger = logging.getLogger("cpo.store")

T = TypeVar("T")
_MongoSession = Any
"""A Motor client session inside a transaction, or None where the server has none (mocks)."""

MAJORITY = WriteConcern(w="majority", j=True)
DEFAULT_NAME = "cpo"
RETRY_FOR_S = 20.0
"""How long a transaction that others' writes get in the way of is tried again."""
FREE_TRIES = 2
"""So often a transaction is tried before it waits its turn: most conflicts are with a short write,
such as a peer's mark that is taken away, which is over when the conflict is noticed."""
MAX_BEATEN = 2
"""So often a transaction that waits its turn may lose to others of this process."""
ANSWER_WITHIN_S = 4.0
ABORT_WITHIN_S = 0.3
CONNECT_WITHIN_S = 3.0
_CLOSED_WITHIN_S = 0.05
MAX_READERS = 8
"""Threads for what is read all day."""
HEARTBEAT_S = 2.0
"""How often the driver looks at each server: a server that is back is found that soon."""
_TRANSIENT = "TransientTransactionError"
_INTERRUPTED = 11601
_ENDED = 251


class StoreUnavailable(Exception):
    """The database cannot be reached or its address is unusable; the message says which."""


class Database:
    """A named database on one client.

    `transactions` is False only for mongomock, which has none: `transact` then runs the
    callback plainly, so unit tests keep the code path but not the guarantee.
    """

    def __init__(
        self,
        client: Any,
        name: str = DEFAULT_NAME,
        *,
        transactions: bool = True,
        clock: Clock | None = None,
        reachability: Reachability | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self.client = client
        self.name = name
        self.transactions = transactions
        self.clock = clock or HostClock()
        self._reachability = reachability
        self.answer_within_s = answer_within_s
        """How long one operation may take, the wait for one of the driver's threads included."""
        self._db = client[name]
        self._collections: dict[str, Any] = {}
        """Kept: the driver makes each anew, for an eighth of a millisecond."""
        self._readers = ThreadPoolExecutor(MAX_READERS, thread_name_prefix="store")
        self._closed = False
        self.writers = Writers(self)
        self._conflicted = asyncio.Lock()
        self._starving = False
        """Whether who holds the lock has been beaten often enough: whoever comes waits."""

    @classmethod
    def connect(
        cls, url: str, name: str | None = None, *, timeout_ms: int = int(ANSWER_WITHIN_S * 1000)
    ) -> Database:
        """Open a client on `url` (no I/O yet); the database is `name`, else the URL's, else "cpo".

        Raises StoreUnavailable for an address that cannot be one of MongoDB.
        """
        clock, reachability = DatabaseClock(), Reachability()
        try:
            client: Any = AsyncIOMotorClient(
                url,
                event_listeners=[clock, reachability],
                tz_aware=True,
                retryWrites=True,
                w="majority",
                journal=True,
                serverSelectionTimeoutMS=timeout_ms,
                timeoutMS=timeout_ms,
                connectTimeoutMS=int(CONNECT_WITHIN_S * 1000),
                heartbeatFrequencyMS=int(HEARTBEAT_S * 1000),
                appname="ocpi-cpo",
            )
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise StoreUnavailable(f"CPO_MONGO_URL is not usable: {error}") from error
        name = name or client.get_default_database(DEFAULT_NAME).name
        within_s = timeout_ms / 1000
        return cls(client, name, clock=clock, reachability=reachability, answer_within_s=within_s)

    def __getitem__(self, collection: str) -> Any:
        found = self._collections.get(collection)
        if found is None:
            found = self._collections[collection] = self._db[collection]
        return found

    def with_bare_times(self, collection: str) -> Any:
        """The collection, its times read as UTC without a zone: a page's are read in a third of
        the time."""
        key = f"{collection} with bare times"
        found = self._collections.get(key)
        if found is None:
            plain = self[collection]
            options = plain.codec_options.with_options(tz_aware=False, tzinfo=None)
            found = self._collections[key] = plain.with_options(codec_options=options)
        return found

    async def rows(self, collection: Any, ask: Callable[[Any], Any]) -> list[JsonObject]:
        """All documents of the cursor that `ask` makes of the collection, in time.

        For what is read all day: it is read by one of our own threads from beginning to end, in
        half the time that the event loop spends on it with the driver's own awaitable cursors.
        """
        with InTime(self.answer_within_s):
            if not self.transactions:
                found: list[JsonObject] = await ask(collection).to_list(None)
                return found
            plain, in_context = collection.delegate, contextvars.copy_context().run

            def read() -> list[JsonObject]:
                rows: list[JsonObject] = ask(plain).to_list()
                return rows

            if self._closed:
                # As the driver says it: whoever works in the background ends by that.
                raise InvalidOperation("the connection has been closed")
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._readers, in_context, read)

    def now(self) -> datetime:
        """The database's clock, milliseconds."""
        return self.clock.now()

    @property
    def host_is_ahead(self) -> timedelta:
        """How far this host's wall clock is ahead of the database's."""
        clock = self.clock
        return clock.host_is_ahead() if isinstance(clock, DatabaseClock) else timedelta(0)

    @property
    def host_clock_is_right(self) -> bool:
        """Whether this host's wall clock shows about what the database's does."""
        return abs(self.host_is_ahead) <= MAX_HOST_OFF

    @property
    def is_away(self) -> bool:
        """Whether no server has taken writes for a while, as far as the driver knows."""
        return self._reachability is not None and self._reachability.away

    @contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Within the block, nobody waits for a server that is known to be away, nor twice for one
        that hangs."""
        with one_patience():
            if self._reachability is None:
                yield
                return
            with self._reachability.no_waiting():
                yield

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Within the block the store has so long for everything; then one of STORE_ERRORS is
        raised."""
        return pymongo.timeout(seconds)

    async def run_in_transaction(
        self, work: Callable[[_MongoSession, InFlight], Awaitable[T]]
    ) -> T:
        """Run `work(session, in_flight)` in one transaction, retried as a whole on transient
        conflicts.

        For `DbInterface.transact`, which everybody else calls.

        `work` may therefore run more than once: it must change nothing but the database.
        Raises StoreUnavailable when no server is found in time, or when others' writes were in
        the way all the while.
        """
        if not self.transactions:
            in_flight = await self.writers.enter()
            try:
                return await work(None, in_flight)
            finally:
                self.writers.leave(in_flight)
        began = time.monotonic()
        left_s: float | None = None
        async with AsyncExitStack() as queue, await self.client.start_session() as session:
            for _ in range(FREE_TRIES):
                if self._starving or left_s is not None:
                    break
                try:
                    return await _once(self.writers, session, work)
                except PyMongoError as error:
                    _end_unless_again(error, began)
                    left_s = _left_after(error, began)
            # Those that conflict again go on one after another: racing on, each round would
            # have one winner, and a hundred of them would take minutes.
            await queue.enter_async_context(self._conflicted)
            if left_s is None:
                began = time.monotonic()
            beaten = 0
            while True:
                # A long one would be beaten by short ones for ever: then they wait for it.
                self._starving = beaten >= MAX_BEATEN
                try:
                    return await _once(self.writers, session, work, left_s)
                except PyMongoError as error:
                    _end_unless_again(error, began)
                    left_s = _left_after(error, began)
                    beaten = beaten + 1 if left_s is None else 0
                finally:
                    self._starving = False

    async def room(self) -> tuple[float, float] | None:
        """Free and total bytes of the disk that the server keeps its files on, as it tells them;
        None: it does not."""
        with pymongo.timeout(self.answer_within_s):
            said = await self._db.command("dbStats")
        total, used = said.get("fsTotalSize"), said.get("fsUsedSize")
        return None if not total or used is None else (total - used, total)

    async def ping(self) -> None:
        """Raise StoreUnavailable unless a writable server answers now."""
        try:
            with self.within(self.answer_within_s):
                answer = await self.client.admin.command("hello")
        except PyMongoError as error:
            raise StoreUnavailable(_brief(error)) from error
        if not answer.get("isWritablePrimary", answer.get("ismaster", False)):
            raise StoreUnavailable("no primary at the moment")

    async def wait_until_reachable(self, *, first_delay_s: float = 0.2) -> None:
        """Return when the server answers; until then say once per try, with growing pauses."""
        for delay_s in Backoff(first_delay_s, max_s=10.0).delays():
            try:
                await self.ping()
                return
            except StoreUnavailable as error:
                logger.warning("MongoDB not reachable, next try in %.1f s: %s", delay_s, error)
            await asyncio.sleep(delay_s)

    def close(self) -> None:
        """The driver ends with half a second's wait for the thread that tells listeners what the
        servers do. Everything else takes milliseconds, and is done when this returns."""
        self.writers.close()
        self._closed = True
        self._readers.shutdown(wait=False, cancel_futures=True)
        closing = threading.Thread(target=self.client.close, name="close-store", daemon=True)
        closing.start()
        closing.join(_CLOSED_WITHIN_S)


STORE_ERRORS: tuple[type[Exception], ...] = (
    StoreUnavailable,
    ConnectionFailure,
    ExecutionTimeout,
    WriteConcernError,
)
"""What is raised while the server cannot be reached, so that callers need not know the driver; also
where it takes a write and ends, or steps down, before a majority has it."""


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed when it is tried again: the server was away or slow, or others'
    writes were in the way. Inside a transaction such an error must reach `transact` as it is."""
    if isinstance(error, STORE_ERRORS):
        return True
    return isinstance(error, PyMongoError) and (error.timeout or error.has_error_label(_TRANSIENT))


async def _once(
    writers: Writers,
    session: _MongoSession,
    work: Callable[[_MongoSession, InFlight], Awaitable[T]],
    within_s: float | None = None,
) -> T:
    """One attempt, committed. Motor's own with_transaction does not retry a failed commit."""
    in_flight: InFlight | None = None
    outcome_known = True
    try:
        with nullcontext() if within_s is None else pymongo.timeout(within_s):
            in_flight = await writers.enter(session)
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=MAJORITY,
                read_preference=ReadPreference.PRIMARY,
            )
            result = await work(session, in_flight)
            await writers.prove(in_flight, session)
            outcome_known = False
            await _commit(session)
            outcome_known = True
            return result
    except BaseException as error:
        if isinstance(error, PyMongoError) and error.has_error_label(_TRANSIENT):
            outcome_known = True  # it was aborted
        if session.in_transaction:
            # The server does it by itself, later.
            with suppress(PyMongoError), pymongo.timeout(ABORT_WITHIN_S):
                await session.abort_transaction()
        if outcome_known and isinstance(error, OperationFailure) and error.code == _INTERRUPTED:
            # Its session was ended by who took this process for dead (writers.py).
            raise PyMongoError("the transaction was ended from outside", [_TRANSIENT]) from error
        if isinstance(error, ServerSelectionTimeoutError):
            # The driver calls it transient, too: it would be tried over and over.
            raise StoreUnavailable(_brief(error)) from error
        raise
    finally:
        if in_flight is not None:
            writers.leave(in_flight, outcome_known=outcome_known)


def _end_unless_again(error: PyMongoError, began: float) -> None:
    """Raise, unless a transaction that failed is tried again: where others' writes were in its way
    for long, where the server was for a moment."""
    if not error.has_error_label(_TRANSIENT) or error.timeout:
        raise error
    if isinstance(error, ConnectionFailure):
        if time.monotonic() - began >= ANSWER_WITHIN_S:
            raise error
    elif time.monotonic() - began >= RETRY_FOR_S:
        why = "others' writes were in the way"
        if isinstance(error, OperationFailure) and error.code == _ENDED:
            why = "the server has ended the transaction, which took too long,"
        raise StoreUnavailable(f"{why} for {RETRY_FOR_S:.0f} s") from error


def _left_after(error: PyMongoError, began: float) -> float | None:
    """Seconds for the whole next attempt, where a lost server made the last one fail; None after a
    conflict: each operation then has its own time again."""
    if not isinstance(error, ConnectionFailure):
        return None
    return max(began + ANSWER_WITHIN_S - time.monotonic(), 0.1)


async def _commit(session: _MongoSession) -> None:
    """Commit, again while the answer to an earlier try is lost: repeating it is safe."""
    deadline = time.monotonic() + ANSWER_WITHIN_S
    while True:
        try:
            await session.commit_transaction()
            return
        except PyMongoError as error:
            interrupted = isinstance(error, OperationFailure) and error.code == _INTERRUPTED
            unknown = interrupted or error.has_error_label("UnknownTransactionCommitResult")
            if not unknown or error.timeout or time.monotonic() > deadline:
                raise


def _brief(error: Exception) -> str:
    """The driver's first sentence; its full text repeats the topology over several lines."""
    return str(error).split(", Timeout:", 1)[0].split("\n", 1)[0][:200]
