"""The sender: of all processes that have brokers, one sends, under a lease.

Marks are read, then their objects; what the brokers have acknowledged is taken away, if its object
stood still meanwhile. So an object has one event out at a time, and the next one says what is so
then. Brokers that are away are left alone for a while, by all processes; nothing else waits for
them: the client library works in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from cpo_app.events import metrics
from cpo_app.events.lease import SenderLease
from cpo_app.kafka.brokers import Brokers, BrokersAway
from cpo_app.kafka.options import client_options, topic_of
from cpo_app.kafka.producer import TAKES_AT_MOST_S, EventProducer, NotTaken, Outgoing
from cpo_app.settings import Settings
from db_interface.backoff import Backoff
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.watching import NoChangeStream, inserted
from domain.events import marks as event_marks
from domain.events import stream
from domain.events.event import Event
from domain.events.marks import EVENT_MARKS, EventMark, Touched
from domain.events.present import events_of
from domain.events.resync import mark_from
from domain.events.stream import Stream
from domain.outbox.crash_points import crash_point
from domain.outbox.settling import CHANGES_END_WITHIN
from domain.rounds import Rounds

logger = logging.getLogger("cpo.events")

LOOK_EVERY_S = 1.0
BATCH = 500
_LEAVE_WITHIN_S = 2.0
_ONE_WAITS = Backoff(first_s=2.0, max_s=3600.0)
"""An event that the brokers will not have, or whose topic they have not: others go on."""


class EventSender:
    """`start` returns at once; `stop` leaves nothing running and every unsent event marked.

    take_at_most_s   for the brokers to acknowledge a batch
    """

    def __init__(
        self, settings: Settings, store: DbInterface, *, take_at_most_s: float = TAKES_AT_MOST_S
    ) -> None:
        self._settings = settings
        self._store = store
        self._db = store.db
        self._take_at_most_s = take_at_most_s
        self._id = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._lease = SenderLease(self._db, self._id)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka")
        self._producer: EventProducer | None = None
        self._registered = False
        self._listening: asyncio.Task[None] | None = None
        self._rounds = Rounds("events", self._round, LOOK_EVERY_S, logger=logger)

    def start(self) -> None:
        """Have changes kept for the stream from now on, and send them."""
        self._listening = asyncio.create_task(self._listen())
        self._rounds.start()

    async def stop(self) -> None:
        if self._producer is not None:
            self._producer.stop()
        await self._rounds.stop()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._drop_producer()
        self._thread.shutdown(wait=False)
        # Where the store is away the lease ends by itself.
        with contextlib.suppress(*STORE_ERRORS), self._db.within(_LEAVE_WITHIN_S):
            await self._lease.release()

    async def _listen(self) -> None:
        try:
            async for _ in inserted(self._db, EVENT_MARKS.name, "kind"):
                if self._lease.held:
                    self._rounds.wake()
        except NoChangeStream:
            logger.warning("no change streams: new events are looked for once a second")

    async def _register(self) -> None:
        """Once; an operator who ends the stream while this runs is not overruled."""
        since = await stream.register(self._db, self._settings.CPO_KAFKA_BROKERS)
        if since is not None:
            # What was kept for one that was ended is of no use any more.
            await event_marks.forget(self._db, since)
            logger.info("from now on changes go to Kafka as events")
        self._registered = True

    async def _round(self) -> None:
        if not self._registered:
            await self._register()
        found = await self._lease.claim()
        if found is None:
            return
        now = self._db.now()
        retry_at = found.get("retry_at")
        if retry_at is not None and retry_at > now:
            self._rounds.within((retry_at - now).total_seconds())
            return
        async with self._lease.kept():
            if found.get("settles_at") and found["settles_at"] <= now:
                await mark_from(self._store, found["settles_at"] - 2 * CHANGES_END_WITHIN)
                await stream.settled(self._db)
            await self._send_all(found)

    async def _send_all(self, found: Stream) -> None:
        """Until nothing is due, the brokers take nothing, or the lease is lost."""
        sent = False
        while marks := await event_marks.due(self._db, self._db.now(), BATCH):
            pairs = await events_of(self._store, marks)
            crash_point("events-read")
            if not self._lease.fit_to_send:
                return
            try:
                became = await self._produce([event for _, event in pairs if event is not None])
            except BrokersAway as error:
                await self._away(found, str(error))
                return
            if not self._lease.held:
                # Another process may have sent a newer state before this one arrived.
                told = [Touched(m["kind"], m["key"], m.get("gone")) for m in marks]
                await event_marks.mark_again(self._db, told)
                return
            crash_point("events-sent")
            why = await self._note(pairs, became)
            if why is not None:
                await self._away(found, why)
                return
            sent = True
        if sent or found["failures"]:
            await stream.sent(self._db, self._id)
            if found["failures"]:
                logger.info("Kafka takes events again")

    async def _note(
        self,
        pairs: Sequence[tuple[EventMark, Event | None]],
        became: Sequence[NotTaken | None],
    ) -> str | None:
        """Take away what was taken, put off what alone was not; why nothing is taken, if so."""
        answers = iter(became)
        taken: list[EventMark] = []
        away: str | None = None
        now = self._db.now()
        for mark, event in pairs:
            failure = None if event is None else next(answers)
            if failure is None:
                taken.append(mark)
                if event is not None:
                    metrics.SENT.labels(event.kind).inc()
                    metrics.LATENCY.observe(max(0.0, (now - mark["changed"]).total_seconds()))
                continue
            metrics.FAILED.labels(mark["kind"]).inc()
            if failure.alone:
                pause_s = _ONE_WAITS.after(mark.get("attempts", 0) + 1)
                until = now + timedelta(seconds=pause_s)
                await event_marks.put_off(self._db, mark, until, failure.why)
                if not mark.get("attempts"):
                    logger.warning("event of %s is not taken: %s", mark["_id"], failure.why)
            else:
                away = failure.why
        await event_marks.clear(self._db, taken)
        crash_point("events-cleared")
        return away

    # -- the brokers -----------------------------------------------------------------------

    async def _produce(self, events: Sequence[Event]) -> list[NotTaken | None]:
        if not events:
            return []
        source, prefix = self._settings.base_url, self._settings.CPO_KAFKA_TYPE_PREFIX
        outgoing = [
            Outgoing(topic_of(self._settings, event.kind), event.key, event.said(source, prefix))
            for event in events
        ]
        producer = await self._in_thread_producer()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, producer.send, outgoing)

    async def _in_thread_producer(self) -> EventProducer:
        if self._producer is None:
            loop = asyncio.get_running_loop()
            self._producer = await loop.run_in_executor(self._thread, self._made)
        return self._producer

    def _made(self) -> EventProducer:
        """Blocks."""
        settings = self._settings
        if settings.CPO_KAFKA_CREATE_TOPICS:
            brokers = Brokers(settings)
            missing = brokers.look().missing
            if missing:
                for name, why in brokers.make(missing).items():
                    logger.warning("topic %s cannot be made: %s", name, why)
        options = client_options(settings, f"cpo-events-{self._id}")
        return EventProducer(options, self._take_at_most_s)

    async def _away(self, found: Stream, why: str) -> None:
        await stream.failed(self._db, self._id, found, why)
        if not found["failures"]:
            logger.warning("Kafka takes no events: %s", why)
        # What it has not got by now must not go out later, behind newer ones.
        await self._drop_producer()

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, producer.close)
