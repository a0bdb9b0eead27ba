"""One peer's lane while this process holds its lease: marks in, requests out, marks away.

A few requests are out at once, each for another object; an object is read after its mark, so
what is sent is never older than what was sent before. Marks are taken away several at a time,
and only if their object stood still; else it goes out again. The lane ends when nothing is
left to do, when the peer fails as a whole, or when the lease is lost: then nothing is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.push import metrics
from cpo_app.ocpi.push.cdrs import AskedLater, deliver_cdr
from cpo_app.ocpi.push.choosing import Choice, Pair
from cpo_app.ocpi.push.failures import NOT_LET_IN_S, Failure, judged
from cpo_app.ocpi.push.health import Health
from cpo_app.ocpi.push.lease import Lease
from cpo_app.ocpi.push.sending import PeerChannel, bring_up_to_date
from db_interface.backoff import Backoff
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.outbox import due_marks
from domain.outbox.crash_points import crash_point
from domain.outbox.due_marks import Mark, Present
from domain.outbox.marks import mark_again
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED
from domain.rounds import pause
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.push")

IDLE_S = 5.0
_LOOK_S = 1.0
_RENEW_S = 1.0
_LEAVE_WITHIN_S = 2.0
_GATHER_S = 0.02  # marks to be taken away are gathered so long, for one round trip
# And so many times as long while there is more to send: what follows a change, as the first
# telemetry follows a start, has then been written, and does not meet its mark being taken away.
_GATHER_AT_MOST = 25
_READ_AT_ONCE = 128
_READ_AHEAD_S = 0.25
# A mark whose attempt met a dead peer: others are tried first, but it is soon back.
_PEERS_FAULT = Backoff(first_s=1.0, max_s=30.0)


@dataclass(frozen=True)
class PushContext:
    """What all lanes of a process work with."""

    store: DbInterface
    peers: Peers
    client: PeerClient
    timeout_s: float
    concurrency: int
    owner: str


class _LaneEnds(Exception):
    """There is a reason to stop: the lease is lost, or the peer is not to be pushed to."""


class Lane:
    def __init__(self, context: PushContext, peer_id: str) -> None:
        self._context = context
        self._db = context.store.db
        self.peer_id = peer_id
        self._lease = Lease(self._db, peer_id, context.owner)
        self._health = Health(self._db, context.peers, peer_id, self._lease)
        self._queue: asyncio.Queue[Pair] = asyncio.Queue()
        self._busy: set[str] = set()
        self._seen: list[tuple[str, str]] = []
        self._to_clear = asyncio.Event()
        self._turn = asyncio.Event()
        self._more = False
        self._delivered = self._rate = 0
        self._latency_ms: float | None = None
        self._channel: PeerChannel
        self._choice: Choice

    def poke(self) -> None:
        """There is a new mark."""
        self._turn.set()

    async def run(self) -> None:
        """Until there is nothing to do. Raises what the store raises."""
        lane = await self._lease.claim()
        if lane is None:
            return
        try:
            peer = await self._look_at_peer()
            self._choice = Choice(self._context.store, peer, self._look_at_peer)
            self._health.take_over(lane, peer)
            await self._work()
        except _LaneEnds as reason:
            logger.debug("push to %s stops: %s", self.peer_id, reason)
        except SecretUnusable as error:
            await self._health.shut_out(Failure(str(error), peer=True, first_s=NOT_LET_IN_S))
        finally:
            # Where the store is away the lease ends by itself.
            with contextlib.suppress(*STORE_ERRORS), self._db.within(_LEAVE_WITHIN_S):
                await self._leave()

    async def _work(self) -> None:
        """The lane's tasks; the first to end ends all."""
        tasks = [
            asyncio.create_task(task)
            for task in (
                self._feed(),
                self._renew(),
                self._clear_away(),
                *(self._send_on() for _ in range(self._context.concurrency)),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _leave(self) -> None:
        if self._seen and self._lease.held:
            await due_marks.clear(self._db, self._seen)
        await self._lease.note(**self._figures())
        await self._lease.release()

    # -- reading ---------------------------------------------------------------------------

    async def _feed(self) -> None:
        """Read marks and objects for the senders, not far ahead of them."""
        idle_since = time.monotonic()
        while True:
            self._turn.clear()
            if not self._health.admits and not self._busy:
                return
            room = self._room()
            pairs: list[Pair] = []
            if room > 0:
                pairs, self._more = await self._choice.next(self._db.now(), room, self._busy)
            else:
                self._more = True  # whoever makes room has to say so: nobody has looked
            for mark, state in pairs:
                self._busy.add(mark.id)
                self._queue.put_nowait((mark, state))
            if pairs or self._busy:
                idle_since = time.monotonic()
            elif room > 0 and self._more:
                continue
            elif time.monotonic() - idle_since > IDLE_S:
                return
            if not await pause(self._turn, _LOOK_S):
                self._choice.behind.clear()

    def _room(self) -> int:
        """How many marks to read now: what the senders will take in a moment."""
        if not self._may_send():
            return 0
        if not self._health.good:
            return 0 if self._busy else 1  # the probe
        ahead = max(2 * self._context.concurrency, int(self._rate * _READ_AHEAD_S))
        return min(_READ_AT_ONCE, ahead) - self._queue.qsize()

    # -- sending ---------------------------------------------------------------------------

    async def _send_on(self) -> None:
        while True:
            mark, state = await self._queue.get()
            if self._may_send():
                await self._send(mark, state)
            else:
                self._busy.discard(mark.id)
            if self._queue.empty() and (self._more or not self._busy):
                self._turn.set()

    def _may_send(self) -> bool:
        return self._health.admits and self._lease.fit_to_send

    def _still_ours(self) -> None:
        if not self._lease.fit_to_send:
            raise _LaneEnds("the lease ends before the request could")

    async def _send(self, mark: Mark, state: Present | None) -> None:
        """The peer may move to other addresses, another token or another version at any moment.
        What it has taken it has, wherever it came from; what it has not, because it is no longer
        there, is no failure and goes to where it is."""
        epoch, channel = self._health.epoch, self._channel
        crash_point("before-send")
        if state is not None and state.form is not channel.peer.form:
            # The peer has moved to another version since it was read: the mark is due still.
            self._busy.discard(mark.id)
            self._turn.set()
            return
        try:
            if mark.module == "cdrs":
                await deliver_cdr(self._db, channel, mark, state, self._still_ours)
            else:
                await bring_up_to_date(channel, mark, state)
        except AskedLater:
            self._busy.discard(mark.id)
            self._turn.set()
        except PeerUnusable as error:
            if await self._has_moved_from(channel):
                self._busy.discard(mark.id)
                self._turn.set()
            else:
                await self._failed(mark, judged(error), epoch)
        except ValueError as error:
            await self._failed(mark, Failure(str(error), peer=False), epoch)
        else:
            crash_point("sent")
            await self._succeeded(mark, epoch)

    async def _has_moved_from(self, channel: PeerChannel) -> bool:
        self._choice.peer = await self._look_at_peer()
        return not self._channel.leads_to_where(channel)

    async def _succeeded(self, mark: Mark, epoch: int) -> None:
        if not self._lease.held:
            # Another process may have sent a newer state before this one arrived.
            if mark.module != "cdrs":
                await mark_again(self._context.store, mark.peer_id, mark.module, mark.key)
            raise _LaneEnds("the lease ended while a request was out")
        self._seen.append((mark.id, mark.version))
        self._to_clear.set()
        self._delivered += 1
        latency_s = max(0.0, (self._db.now() - mark.changed).total_seconds())
        before = self._latency_ms
        self._latency_ms = latency_s * 1000 if before is None else before * 0.9 + latency_s * 100
        metrics.DELIVERED.labels(self.peer_id, mark.module).inc()
        metrics.LATENCY.labels(mark.module).observe(latency_s)
        was_good = self._health.good
        await self._health.answered(epoch)
        if not was_good:
            self._turn.set()

    async def _failed(self, mark: Mark, failure: Failure, epoch: int) -> None:
        metrics.FAILED.labels(self.peer_id, mark.module, "peer" if failure.peer else "object").inc()
        now, attempts = self._db.now(), mark.attempts + 1
        pause_s = _PEERS_FAULT.after(attempts) if failure.peer else failure.object_waits_s(attempts)
        answered = not failure.peer and not failure.suspicious
        refused = answered and not failure.not_handed_on
        until = now + timedelta(seconds=pause_s)
        await due_marks.hold(self._db, mark, until, failure.text, now, refused=refused)
        self._busy.discard(mark.id)
        if answered:
            await self._health.answered(epoch)
        else:
            await self._health.failed(failure, epoch)
        self._turn.set()

    # -- taking marks away -----------------------------------------------------------------

    async def _clear_away(self) -> None:
        while True:
            await self._to_clear.wait()
            for _ in range(_GATHER_AT_MOST):
                await asyncio.sleep(_GATHER_S)
                if self._queue.empty() and not self._more:
                    break
            self._to_clear.clear()
            seen, self._seen = self._seen, []
            try:
                cleared = await due_marks.clear(self._db, seen)
            except STORE_ERRORS:
                self._seen = seen + self._seen
                raise
            crash_point("cleared")
            self._busy.difference_update(id_ for id_, _ in seen)
            if cleared < len(seen) or self._choice.behind or not self._busy:
                self._choice.behind.clear()
                self._turn.set()

    # -- keeping the lane ------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            before = self._delivered
            await asyncio.sleep(_RENEW_S)
            self._rate = int((self._delivered - before) / _RENEW_S)
            if await self._lease.claim() is None:
                raise _LaneEnds("another process has the lane")
            self._choice.peer = await self._look_at_peer()
            if self._rate:
                await self._lease.note(**self._figures())

    async def _look_at_peer(self) -> Peer:
        try:
            peer = await self._context.peers.get(self.peer_id)
        except KeyError:
            raise _LaneEnds("the peer is gone") from None
        if peer.status != CONNECTED:
            raise _LaneEnds(f"the peer is {peer.status}")
        token = self._context.peers.their_token(peer)
        self._channel = PeerChannel(self._context.client, peer, token, self._context.timeout_s)
        return peer

    def _figures(self) -> dict[str, object]:
        figures: dict[str, object] = {}
        if self._latency_ms is not None:
            figures = {"latency_ms": round(self._latency_ms, 1), "last_delivered": self._db.now()}
        return figures
