"""Up to when everything is settled: the low-water mark of all processes that write.

Transactions commit in another order than they were stamped. A list that shows what was stamped at
S, while one stamped before S may still commit, makes its reader ask from S on and miss that one
for good. So no list shows what is younger than the mark: before it, nothing can appear any more.

**Writers.** Each process has a document in `writers`. Its `floor` is the stamp of its oldest
transaction in flight; none: it has no transaction. It is there, acknowledged, before the first
transaction takes its stamp, is moved on as soon as one ends, fifty times a second at most, and goes
soon after the last one: readers wait for no more than what was under way. A floor goes by the
server's time when it is set, and no later stamp of the process lies below: how well hosts know that
clock does not matter.

So that readers need not look each time, a process that begins to write waits some milliseconds
before its first stamp: for not quite as long a reader may rely on that nobody was writing. Its
first floor lies as much ahead.

**Readers** take their own time as mark, wait until what this process had in flight has ended and
until no other's floor lies before it, and see all that was stamped before they asked. Floors only
ever rise. So whoever goes on with what he has begun to read so need not wait: as of the lowest
floor he sees no less than when he began.

**Silent writers.** The last thing that a transaction does before it commits is to write a slot of
its process that nobody else uses meanwhile. Who finds a writer silent for SILENT_AFTER_S deletes
its slots, then its document: a transaction in between has either committed, or fails and is done
again under a new name. A commit of which nobody knows whether it happened is treated so, too.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from db_interface.clocks import uptime_s
from db_interface.database_clock import DatabaseClock
from db_interface.gathered import Gathered
from db_interface.json_data import JsonObject
from db_interface.looks import Looks, Seen
from db_interface.order_of_creation import OrderOfCreation, first_place

if TYPE_CHECKING:
    from db_interface.database import Database

logger = logging.getLogger("cpo.store")

WRITERS = "writers"
SLOTS = "writer_slots"

TICK_S = 0.02
"""So often the floor is moved on, where it can be."""
BEAT_S = 0.1
"""So often at least a process that writes is heard of."""
QUIET_AFTER_S = 0.06
"""So long after its last transaction it writes no more, for all others."""
SILENT_AFTER_S = 1.5
WAIT_AT_MOST_S = 10.0
"""A reader answers after that long, with what was settled when the oldest transaction began."""
HELD_BACK = timedelta(milliseconds=18)
"""For so long a process that begins to write takes no stamp yet: all who do not know of it rely
on what they saw for less, and their clocks are behind the server's, if anything."""
MAX_AT_ONCE = 12
"""Transactions of one process; whoever comes then waits its turn. More would only make each last
longer, and what lasts long meets more of what others write."""
_LOOK_AGAIN_S = 0.01
_ALL = ""
_MAX_CLAMP = timedelta(seconds=5)
_ABANDONED_AFTER_S = 600
_MAX_BURIALS = 20
_CLOSE_WITHIN_S = 0.5
_UNDISPUTED_WITHIN_S = 0.3
_SURELY_SETTLED = timedelta(seconds=3)
_TRANSIENT = "TransientTransactionError"
_NUMBERS = "numbers"
_PARTS_APART = 5
"""Most transactions have a low slot: processes begin at different parts."""
_ANY_TIME = datetime(1970, 1, 1)


class InFlight:
    """An attempt of a transaction of this process: its stamp, and what lets it commit."""

    def __init__(
        self, writer: str | None, slot: int, now: datetime, order: OrderOfCreation
    ) -> None:
        self.writer = writer
        self.slot = slot
        """Nobody else in this process has it meanwhile."""
        self.now = now
        self.part = (slot + _PARTS_APART * order.number) % MAX_AT_ONCE
        """Which part of a shared number it writes: hardly ever the one that another writes now."""
        self.publishes = False
        """Whether it has written anything that lists show."""
        self.ended: asyncio.Future[None] | None = None
        self._order = order

    def places(self, number: int) -> list[int]:
        """So many places in the order of creation, ascending."""
        return self._order.places(self.now, number)


class Writers:
    """This process among the writers of one database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._name: str | None = None
        self._is_new = False
        self._announced = False
        self._announcing = asyncio.Lock()
        self._room = asyncio.Semaphore(MAX_AT_ONCE)
        self._free = list(range(MAX_AT_ONCE))
        self._in_flight: set[InFlight] = set()
        self._ticking: asyncio.Task[None] | None = None
        self._floor: datetime | None = None
        self._beat_at = self._left_at = float("-inf")
        """When it was heard of last, and when its last transaction ended, by the host's uptime."""
        self._least: datetime | None = None
        """No stamp may lie below: the floor that others know, and every mark given out here."""
        self._settled: datetime | None = None
        self._told_at = float("-inf")
        """When others were told of a floor last, likewise."""
        self._one_ended = asyncio.Event()
        self._sessions: set[Any] = set()
        """The server's names of those that transactions of this process run in."""
        self.order = OrderOfCreation()
        self._waited_for: Gathered[Sequence[datetime]] = Gathered(db, self._floors, _LOOK_AGAIN_S)
        self._looks = Looks(db, WRITERS, _NUMBERS, self._others, self._told)

    # -- transactions

    async def enter(self, session: Any = None) -> InFlight:
        """A transaction begins: its stamp. Give it back with `leave`, whatever happens."""
        await self._room.acquire()
        if session is not None:
            self._sessions.add(session.session_id["id"])
        try:
            while not self._announced and self._db.transactions:
                async with self._announcing:
                    if not self._announced:
                        await self._announce()
        except BaseException as error:
            self._room.release()
            if (
                isinstance(error, ConnectionFailure)
                and not isinstance(error, ServerSelectionTimeoutError)
                and not error.timeout
            ):
                # As it would be inside the transaction: to be tried again for a while. Not where
                # its time is over: each further try would fail at once.
                raise AutoReconnect(str(error), {"errorLabels": [_TRANSIENT]}) from error
            raise
        entered = InFlight(self._name, heapq.heappop(self._free), self.stamp(), self.order)
        self._in_flight.add(entered)
        return entered

    async def prove(self, entered: InFlight, session: Any) -> None:
        """The last write of a transaction: fails when this process was taken for dead meanwhile."""
        if not entered.publishes or entered.writer is None:
            return
        done = await self._db[SLOTS].update_one(
            {"_id": _slot(entered.writer, entered.slot)}, {"$inc": {"used": 1}}, session=session
        )
        if not done.matched_count:
            self._forget(entered.writer)
            raise PyMongoError("this process was silent for too long", [_TRANSIENT])

    def leave(self, entered: InFlight, *, outcome_known: bool = True) -> None:
        """It has ended. Unless its outcome is known it may still commit: its floor stays until
        its slot is gone."""
        self._in_flight.discard(entered)
        self._left_at = uptime_s()
        if entered.publishes:
            self._looks.written()
        self._one_ended.set()
        heapq.heappush(self._free, entered.slot)
        self._room.release()
        if entered.ended is not None and not entered.ended.done():
            entered.ended.set_result(None)
        if entered.publishes and not outcome_known:
            self._forget(entered.writer)

    def stamp(self) -> datetime:
        """The database's clock, but nothing that others take for settled."""
        now = self._db.now()
        if self._least is None or self._least <= now:
            return now
        # A clock of this process's own may be turned back as one likes.
        return self._least if self._shares_a_clock or self._least <= now + _MAX_CLAMP else now

    def surely_settled(self, stamp: datetime, now: datetime) -> bool:
        """Whether no reader's mark lies before that stamp any more, as far as is known here."""
        known = self._settled is not None and stamp <= self._settled
        return known or stamp <= now - _SURELY_SETTLED

    # -- readers

    def mark(self) -> datetime:
        """Of now. No stamp of this process will lie before it."""
        self._least = self.stamp()
        return self._least

    async def settled_here(self) -> datetime:
        """A mark of now, once what this process has in flight has ended."""
        mark = self.mark()
        before = list(self._in_flight)
        if before:
            loop = asyncio.get_running_loop()
            for one in before:
                one.ended = one.ended or loop.create_future()
            await asyncio.wait([one.ended for one in before if one.ended], timeout=WAIT_AT_MOST_S)
            mark = min([mark, *(one.now for one in before if one in self._in_flight)])
        return mark

    def end_of_places(self, mark: datetime) -> int:
        """No place in the order of creation from here on is settled, as of the mark."""
        end, mine = first_place(mark), self.order.last + 1
        # What was created here just now, in the mark's own millisecond, is seen at once.
        same = mine <= first_place(mark + timedelta(milliseconds=1))
        return max(end, mine) if same or not self._shares_a_clock else end

    async def look(self, mark: datetime, counted: str | None = None) -> Seen:
        """What is to be seen of the writers now, before anything is read as of the mark, and the
        number that is asked for (looks.py)."""
        calm = self._looks.calm(counted) if self._shares_a_clock else None
        if calm is not None:
            return calm
        seen = await self._looks.look(mark, counted)
        if not seen.late:
            self._note(min([mark, *(one.now for one in self._in_flight)]))
        return seen

    def begun(self, mark: datetime, seen: Seen) -> datetime:
        """The stamp of the oldest transaction in flight, as seen with that mark; else the mark. Who
        goes on with what he has begun to read need not wait for more."""
        stamps = [mark, *(one.now for one in self._in_flight)]
        return min(stamps if seen.oldest is None else [seen.oldest, *stamps])

    async def settled_elsewhere(self, mark: datetime) -> datetime:
        """The mark, once no other process has anything in flight that was stamped before it; after
        WAIT_AT_MOST_S the oldest such stamp."""
        until = time.monotonic() + WAIT_AT_MOST_S
        while True:
            floors = await self._waited_for.get(_ALL) or ()
            late = [floor for floor in floors if floor < mark]
            if not late:
                self._note(mark)
                return mark
            if time.monotonic() > until:
                return min(late)

    def close(self) -> None:
        """The process has nothing in flight any more, and leaves nothing behind. Blocks shortly:
        there may be no event loop any more."""
        name = self._name
        if name is None or self._in_flight:
            return
        self._forget(name)
        with suppress(PyMongoError), self._db.within(_CLOSE_WITHIN_S):
            plain = self._db.client.delegate[self._db.name]
            plain[SLOTS].delete_many({"writer": name})
            plain[WRITERS].delete_one({"_id": name})

    # -- this process's document

    async def _announce(self) -> None:
        """Before the first stamp: others know that there will be some, and none below this."""
        ahead = {"$add": ["$$NOW", HELD_BACK // timedelta(milliseconds=1)]}
        floor: object = ahead if self._shares_a_clock else self._db.now()
        busy: list[JsonObject] = [
            {"$set": {"floor": floor, "beat": "$$NOW", "sessions": list(self._sessions)}}
        ]
        writers, found = self._db[WRITERS], None
        if self._name is not None:
            found = await writers.find_one_and_update(
                {"_id": self._name}, busy, return_document=ReturnDocument.AFTER
            )
        if found is None:
            name = uuid.uuid4().hex
            numbers = await writers.find_one_and_update(
                {"_id": _NUMBERS},
                {"$inc": {"last": 1}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
            self.order.number = numbers["last"]
            self.order.others_have_the_clock = self._shares_a_clock
            await self._db[SLOTS].insert_many(
                [{"_id": _slot(name, n), "writer": name, "used": 0} for n in range(MAX_AT_ONCE)]
            )
            found = await writers.find_one_and_update(
                {"_id": name}, busy, upsert=True, return_document=ReturnDocument.AFTER
            )
            self._name, self._is_new = name, True
        self._least = self._floor = found["floor"]
        if self._shares_a_clock:
            # The floor is of when the server began with it, which may be long before anybody saw
            # it. Only now is it certain that everybody does: no stamp lies before this moment,
            # nor before the marks of those who rely on what they saw until then.
            seen = await writers.find_one({"_id": self._name}, {"now": "$$NOW"})
            known: datetime = found["floor"] if seen is None else seen["now"]
            self._told(known, uptime_s())
            self._least = known + HELD_BACK
            await asyncio.sleep(HELD_BACK.total_seconds())
        self._announced = True
        self._beat_at = self._left_at = uptime_s()
        self._ticking = asyncio.create_task(self._tick(), name="writers")

    async def _tick(self) -> None:
        """Move the floor on as transactions end and as time goes by, and take it away after the
        last."""
        quick = self._db[WRITERS].with_options(write_concern=WriteConcern(w=1))
        name = self._name
        try:
            while self._announced and self._name == name:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._one_ended.wait(), TICK_S)
                self._one_ended.clear()
                await asyncio.sleep(max(0.0, self._told_at + TICK_S - uptime_s()))
                async with self._announcing:
                    if self._name != name:
                        return
                    try:
                        await self._move_on(quick)
                        await self._tidy_up()
                    except PyMongoError as error:
                        logger.debug("the floor of this process stays: %s", type(error).__name__)
        except asyncio.CancelledError:
            self._forget(name)
            raise

    async def _move_on(self, writers: Any) -> None:
        name, before, at_s = self._name, self.stamp(), uptime_s()
        beats = at_s - self._beat_at >= BEAT_S
        stamps = [one.now for one in self._in_flight if one.writer == name]
        ends = not stamps and at_s - self._left_at >= QUIET_AFTER_S
        floor = min([before, *stamps])
        if self._floor is not None and not ends:
            floor = max(floor, self._floor)
            if floor == self._floor and not beats:
                return
        change: list[JsonObject] = [
            {"$set": {"beat": "$$NOW", "sessions": list(self._sessions), "floor": floor}}
        ]
        if ends:
            self._announced = False
            change.append({"$unset": "floor"})
        else:
            # No stamp that is taken while this is under way lies below either.
            self._least = floor if self._least is None else max(self._least, floor)
        done = await writers.update_one({"_id": name}, change)
        self._told_at = uptime_s()
        if not done.matched_count:
            self._forget(name)
            return
        self._floor = floor
        if beats or ends:
            self._beat_at = at_s
            others = await self._late(before)
            self._note(min([floor, *(row["floor"] for row in others)]))

    async def _tidy_up(self) -> None:
        """Once: processes that have not written for long leave nothing behind. One that lives
        goes on under another name."""
        if not self._is_new:
            return
        self._is_new = False
        old = {"$subtract": ["$$NOW", _ABANDONED_AFTER_S * 1000]}
        stages: list[JsonObject] = [
            {"$match": {"$expr": {"$lt": ["$beat", old]}, "beat": {"$gt": _ANY_TIME}}},
            {"$limit": _MAX_BURIALS},
            {"$project": {"beat": 1}},
        ]
        for row in await self._db[WRITERS].aggregate(stages).to_list(None):
            await self._bury(row["_id"], row["beat"])

    def _forget(self, name: str | None) -> None:
        """Go on under another name: this one is somebody's to bury."""
        if self._name == name:
            self._name, self._announced = None, False

    def _note(self, mark: datetime) -> None:
        if self._settled is None or self._settled < mark <= self._settled + timedelta(days=1):
            self._settled = mark

    def _told(self, server_time: datetime, at_s: float) -> float:
        clock = self._db.clock
        return clock.told(server_time, at_s) if isinstance(clock, DatabaseClock) else 0.0

    @property
    def _shares_a_clock(self) -> bool:
        """Whether the time is the server's; else it is this process's own, as with mocks."""
        return isinstance(self._db.clock, DatabaseClock)

    # -- the others

    def _others(self) -> JsonObject:
        return {"floor": {"$gt": _ANY_TIME}, "_id": {"$ne": self._name}}

    def _before(self, mark: datetime) -> JsonObject:
        return {"floor": {"$gt": _ANY_TIME, "$lt": mark}, "_id": {"$ne": self._name}}

    async def _floors(self, _: Sequence[str]) -> dict[str, Sequence[datetime]]:
        """Those of all others, for all readers that wait: whoever came meanwhile is answered by
        the next look."""
        rows = await self._busy(self._others())
        for row in rows:
            if row["silent"]:
                await self._bury(row["_id"], row["beat"], row.get("sessions", ()))
        return {_ALL: [row["floor"] for row in rows]}

    async def _late(self, mark: datetime) -> list[JsonObject]:
        return await self._busy(self._before(mark))

    async def _busy(self, others: JsonObject) -> list[JsonObject]:
        silent_since = {"$subtract": ["$$NOW", round(SILENT_AFTER_S * 1000)]}
        stages: list[JsonObject] = [
            {"$match": others},
            {
                "$project": {
                    "floor": 1,
                    "beat": 1,
                    "sessions": 1,
                    "silent": {"$lt": ["$beat", silent_since]},
                }
            },
        ]
        return await self._db.rows(self._db[WRITERS], lambda documents: documents.aggregate(stages))

    async def _bury(self, name: str, beat: datetime, sessions: Sequence[Any] = ()) -> None:
        """Make sure that a silent writer commits nothing any more, then forget its floor.

        One that stopped between its last write and its commit keeps its slot until the server
        ends it: then its sessions are ended, where the server lets us.
        """
        try:
            with self._db.within(_UNDISPUTED_WITHIN_S):
                await self._db[SLOTS].delete_many({"writer": name})
        except PyMongoError:
            kill = [{"id": session} for session in sessions]
            with suppress(PyMongoError):
                await self._db.client.admin.command("killSessions", kill)
        with suppress(PyMongoError):
            await self._db[SLOTS].delete_many({"writer": name})
            await self._db[WRITERS].delete_one({"_id": name, "beat": beat})


def _slot(writer: str, slot: int) -> str:
    return f"{writer}/{slot}"
