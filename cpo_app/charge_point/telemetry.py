"""Brings the journal's messages to Central: in order, in batches, until each is acknowledged.

Never drops a message because Central is away. A single message that Central calls malformed is
dropped with an error line: it would hold up all others for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cpo_app.charge_point.central_link import CentralLink, CentralUnavailable
from cpo_app.charge_point.journal import Journal
from cpo_app.charge_point.timeline import Timeline
from db_interface.backoff import Backoff
from domain.times import format_datetime

logger = logging.getLogger(__name__)

MAX_PER_BATCH = 500
TELEMETRY_BACKOFF = Backoff(first_s=1.0, max_s=10.0, factor=1.5)
_MALFORMED = frozenset({400, 413, 422})


class TelemetrySender:
    def __init__(
        self,
        journal: Journal,
        timeline: Timeline,
        link: CentralLink,
        backoff: Backoff = TELEMETRY_BACKOFF,
        wait: Callable[[asyncio.Event, float], Awaitable[None]] | None = None,
    ) -> None:
        self._journal = journal
        self._timeline = timeline
        self._link = link
        self._backoff = backoff
        self._wait = wait or _wait_at_most
        self._batch_size = MAX_PER_BATCH
        self._away = False
        self.new = asyncio.Event()

    async def run(self) -> None:
        """Send for ever; a failure waits for the backoff or for a new link, then goes on."""
        delays = self._backoff.delays()
        while True:
            self.new.clear()
            self._link.changed.clear()
            try:
                while await self.send_batch():
                    delays = self._backoff.delays()
            except CentralUnavailable as error:
                if not self._away and self._link.linked:
                    logger.warning("telemetry waits for EV_Central: %s", error)
                    self._away = True
                await self._wait(self._link.changed, next(delays))
                continue
            await self.new.wait()

    async def send_batch(self) -> bool:
        """Send the oldest batch. False where nothing was left. Raises CentralUnavailable."""
        batch = self._journal.batch(self._batch_size)
        if batch is None:
            return False
        boot_id, messages = batch
        body = {
            "cp_id": self._link.cp_id,
            "boot_id": boot_id,
            "sent_at": format_datetime(self._timeline.now()),
            "messages": messages,
        }
        try:
            answer = await self._link.post("/cp/telemetry", body)
        except CentralUnavailable as error:
            if error.status not in _MALFORMED:
                raise
            self._isolate(boot_id, messages[0]["seq"], len(messages))
            return True
        if self._away:
            logger.info("telemetry flows again, %d messages waited", self._journal.waiting())
            self._away = False
        acked = answer.get("acked")
        last = messages[-1]["seq"]
        if not isinstance(acked, int) or not self._journal.acknowledge(boot_id, min(acked, last)):
            raise CentralUnavailable("nothing was acknowledged")
        self._batch_size = min(MAX_PER_BATCH, self._batch_size * 2)
        return True

    def _isolate(self, boot_id: str, seq: int, count: int) -> None:
        """Halve the batch until the malformed message stands alone, then drop it."""
        if count > 1:
            self._batch_size = count // 2
            return
        logger.error("EV_Central calls message %d of boot %s malformed: dropped", seq, boot_id)
        self._journal.acknowledge(boot_id, seq)


async def _wait_at_most(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return
