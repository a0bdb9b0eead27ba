"""The recorder: takes what was seen of exchanges, and writes it down behind everybody's back.

Of what is routine (a page that was read, an object that was pushed, all well) so many a second are
kept, and a burst of them: at full load the record costs a percent or two, not a fifth. What failed,
was refused, or is about commands, tokens, credentials or CDRs is always kept. What is left out is
counted, too.

`take` never waits and never raises: it puts the exchange into a queue that is bounded in number and
in bytes. What does not fit is dropped and counted. A background job makes documents of what waits,
many at a time, lets others run in between, and keeps them with one round trip. A store that is
away costs exchanges, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from db_interface.database import STORE_ERRORS, Database
from domain.exchanges.document import Bounds, Maker
from domain.exchanges.exchange import EXCHANGES, LOSSES, Direction, Exchange, Seen, new_id
from domain.rounds import Rounds

logger = logging.getLogger("cpo.exchanges")

PAUSE_S = 0.5
AT_ONCE = 200
TURN = 10
"""So many documents are made before others are let run."""
MAX_WAITING = 20_000
MAX_WAITING_BYTES = 64_000_000
STRANGERS_PER_MINUTE = 120
"""Those who are let in nowhere are many, and must not push out what happened with peers."""

LOSSES_EVERY_S = 10.0
"""How often it is written down how many were left out."""
BURST_S = 20.0
"""For so many seconds' worth of what is routine, all is kept."""

Count = Callable[[str, int], None]
"""(what became of them: kept, dropped; how many)"""


def nobody_counts(_what: str, _number: int) -> None:
    pass


@dataclass(frozen=True)
class Rules:
    """What is recorded at all. `except_peers`: ids of peers whose exchanges are not."""

    on: bool
    bounds: Bounds
    routine_per_s: float = 0.0
    """0: all"""
    except_peers: Collection[str] = ()


class Bucket:
    """So many a second, and `burst` at once; a rate of 0 is no bound."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._at = clock()
        self._again_at = self._at

    def take(self) -> bool:
        if not self._per_s:
            return True
        now = self._clock()
        if now < self._again_at:  # asked most of all, at full load: nothing is worked out
            return False
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            self._again_at = now + (1 - self._left) / self._per_s
            return False
        self._left -= 1
        return True


class Recorder:
    """One per process; `rounds.start` and `close`."""

    def __init__(
        self,
        db: Database,
        rules: Rules,
        digest: Callable[[str], str],
        count: Count = nobody_counts,
        *,
        max_waiting: int = MAX_WAITING,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self.on = rules.on
        self._db = db
        self._except = frozenset(rules.except_peers)
        self._maker = Maker(rules.bounds, digest)
        self._count = count
        self._most = max_waiting
        self._most_bytes = max_waiting_bytes
        self._waiting: deque[tuple[datetime, Seen]] = deque()
        self._bytes = 0
        self._lost = 0
        """Not written down yet."""
        self._uncounted = 0
        """Of these, those that `count` has not heard of."""
        self._losses_at = float("-inf")
        self._routine = Bucket(rules.routine_per_s, rules.routine_per_s * BURST_S)
        self._strangers = deque[datetime](maxlen=STRANGERS_PER_MINUTE)
        self.rounds = Rounds("exchanges", self.write, PAUSE_S, logger=logger)

    def leaves_out(self, *, routine: bool) -> bool:
        """Whether one that has just ended is not kept: whoever carried it need not look at it any
        more. Each is asked about once."""
        if not self.on:
            return True
        if not routine or self._routine.take():
            return False
        self._lost += 1
        self._uncounted += 1
        return True

    def take(self, seen: Seen) -> None:
        """It has just ended."""
        peer_id = seen.subject.peer_id
        if not self.on or peer_id in self._except:
            return
        now = self._db.now()
        if seen.direction is Direction.IN and peer_id is None and self._too_many_strangers(now):
            self._drop(1)
            return
        if len(self._waiting) >= self._most or self._bytes + seen.weight > self._most_bytes:
            self._drop(1)
            return
        self._bytes += seen.weight
        self._waiting.append((now - timedelta(seconds=seen.took_s), seen))

    async def write(self) -> None:
        """Keep what waits. Raises STORE_ERRORS: what was being written is dropped then."""
        try:
            await self._keep()
        finally:
            if self._uncounted:
                self._count("dropped", self._uncounted)
                self._uncounted = 0
        if self._lost and monotonic() - self._losses_at >= LOSSES_EVERY_S:
            await self._note_losses()

    async def _keep(self) -> None:
        while self._waiting:
            documents = await self._some()
            try:
                await EXCHANGES.of(self._db).expendable().insert_many(documents)
            except BaseException:
                self._drop(len(documents))
                raise
            self._count("kept", len(documents))

    async def _note_losses(self) -> None:
        lost, now = self._lost, self._db.now()
        self._losses_at = monotonic()
        losses = LOSSES.of(self._db).expendable()
        await losses.insert_one({"_id": new_id(now), "at": now, "lost": lost})
        self._lost -= lost

    async def close(self) -> None:
        """Keep what waits, if the store takes it, and end."""
        await self.rounds.stop()
        try:
            await self.write()
            if self._lost:
                await self._note_losses()
        except STORE_ERRORS as error:
            logger.warning("exchanges are not kept: %s", type(error).__name__)

    async def _some(self) -> list[Exchange]:
        documents: list[Exchange] = []
        while self._waiting and len(documents) < AT_ONCE:
            at, seen = self._waiting.popleft()
            self._bytes -= seen.weight
            try:
                documents.append(self._maker.document(seen, at))
            except Exception:  # a peer may send anything: one that we cannot read is not all
                self._drop(1)
                logger.exception("an exchange cannot be written down")
            if len(documents) % TURN == 0:
                await asyncio.sleep(0)
        return documents

    def _drop(self, number: int) -> None:
        self._lost += number
        self._uncounted += number

    def _too_many_strangers(self, now: datetime) -> bool:
        known = self._strangers
        if len(known) == STRANGERS_PER_MINUTE and now - known[0] < timedelta(minutes=1):
            return True
        known.append(now)
        return False
