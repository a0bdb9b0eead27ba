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
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from auth.peers import CONNECTED, Peer, Peers
from auth.secrets import SecretUnusable
from cpo_app.ocpi.client import PeerClient, PeerUnusable
from cpo_app.ocpi.push import metrics
from cpo_app.ocpi.push.breaker import Breaker, backoff_s
from cpo_app.ocpi.push.cdrs import deliver_cdr
from cpo_app.ocpi.push.failures import SUSPICIOUS, Failure, judged
from cpo_app.ocpi.push.lease import Lease
from cpo_app.ocpi.push.pausing import pause
from cpo_app.ocpi.push.sending import Line, bring_up_to_date
from crud import due_marks
from crud.crash_points import crash_point
from crud.due_marks import Mark, Present
from crud.hubclientinfo import parties_not_online
from crud.marks import FOR_EVERY_READER, mark_again
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.owned_objects import fold

logger = logging.getLogger("cpo.push")

IDLE_S = 5.0
_LOOK_S = 1.0
_RENEW_S = 1.0
_GATHER_S = 0.02  # marks to be taken away are gathered so long, for one round trip
_READ_AT_ONCE = 128
_READ_AHEAD_S = 0.25
_OFFLINE_S = 30.0  # the hub's word that the party is back ends it sooner
# A mark whose attempt met a dead peer: others are tried first, but it is soon back.
_PEERS_FAULT_FIRST_S, _PEERS_FAULT_LONGEST_S = 1.0, 30.0


@dataclass(frozen=True)
class Means:
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
    def __init__(self, means: Means, peer_id: str) -> None:
        self._means = means
        self._db = means.store.db
        self.peer_id = peer_id
        self._lease = Lease(self._db, peer_id, means.owner)
        self._breaker = Breaker()
        self._round_of_failures = 0
        self._suspicions = 0
        self._queue: asyncio.Queue[tuple[Mark, Present | None]] = asyncio.Queue()
        self._busy: set[str] = set()
        self._behind_sessions: set[str] = set()
        self._seen: list[tuple[str, str]] = []
        self._to_clear = asyncio.Event()
        self._turn = asyncio.Event()
        self._more = False
        self._delivered = self._rate = 0
        self._latency_ms: float | None = None
        self._offline: frozenset[str] = frozenset()
        self._line: Line

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
            opened = lane.get("opened")
            changed = peer.document.get("updated")
            if not (opened and changed and changed > opened):
                self._breaker = Breaker.of(lane)
            await self._work()
        except _LaneEnds as reason:
            logger.debug("push to %s stops: %s", self.peer_id, reason)
        except SecretUnusable as error:
            await self._peer_failed(Failure(str(error), peer=True, first_s=60.0))
        finally:
            with contextlib.suppress(*STORE_ERRORS):
                await asyncio.wait_for(self._leave(), 2.0)

    async def _work(self) -> None:
        """The lane's tasks; the first to end ends all."""
        tasks = [
            asyncio.create_task(task)
            for task in (
                self._feed(),
                self._renew(),
                self._clear_away(),
                *(self._send_on() for _ in range(self._means.concurrency)),
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
            now = _now()
            if not self._breaker.admits(now) and not self._busy:
                return
            marks = await self._next_marks(now)
            for mark, state in await self._with_states(marks):
                self._busy.add(mark.id)
                self._queue.put_nowait((mark, state))
            if marks or self._busy:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > IDLE_S:
                return
            if not await pause(self._turn, _LOOK_S):
                self._behind_sessions.clear()

    async def _next_marks(self, now: datetime) -> list[Mark]:
        if not self._breaker.admits(now) or not self._lease.fit_to_send:
            return []
        if not self._breaker.closed:
            room = 0 if self._busy else 1  # the probe
        else:
            ahead = max(2 * self._means.concurrency, int(self._rate * _READ_AHEAD_S))
            room = min(_READ_AT_ONCE, ahead) - self._queue.qsize()
        if room <= 0:
            return []
        marks = await due_marks.due(
            self._db, self.peer_id, now, room, self._busy | self._behind_sessions
        )
        self._more = len(marks) == room
        crash_point("marks-read")
        return marks

    async def _with_states(self, marks: Sequence[Mark]) -> list[tuple[Mark, Present | None]]:
        """The marks that may be sent now, with the present states of their objects."""
        if not marks:
            return []
        states = await due_marks.present(self._means.store, marks)
        crash_point("objects-read")
        pairs = [(mark, states.get((mark.module, mark.key))) for mark in marks]
        pairs = await self._after_their_sessions(pairs)
        if any(state and state.audience in self._offline for _, state in pairs):
            self._offline = await parties_not_online(self._means.store, self.peer_id)
            pairs = [pair for pair in pairs if not await self._kept_for_offline(*pair)]
        if len(pairs) < len(marks):
            self._turn.set()  # there may be others behind those
        return pairs

    async def _after_their_sessions(
        self, pairs: list[tuple[Mark, Present | None]]
    ) -> list[tuple[Mark, Present | None]]:
        """Without the CDRs whose session's last state the peer has yet to see."""
        sessions = {
            mark.id: fold(fields["country_code"], fields["party_id"], fields["session_id"])
            for mark, state in pairs
            if mark.module == "cdrs" and state is not None
            for fields in [state.fields]
            if fields.get("session_id")
        }
        if not sessions or self._line.peer.endpoint("sessions", "RECEIVER") is None:
            return pairs
        unsent = await due_marks.unsent(self._db, self.peer_id, "sessions", set(sessions.values()))
        too_early = {id_ for id_, key in sessions.items() if key in unsent}
        self._behind_sessions |= too_early
        return [pair for pair in pairs if pair[0].id not in too_early]

    async def _kept_for_offline(self, mark: Mark, state: Present | None) -> bool:
        """Whether the hub says that the party it is for cannot be reached: no requests then
        (mod_hub_client_info, OFFLINE, SUSPENDED)."""
        if state is None or mark.module in FOR_EVERY_READER:
            return False
        if state.audience not in self._offline:
            return False
        now = _now()
        until = now + timedelta(seconds=_OFFLINE_S)
        await due_marks.await_party(self._db, mark, state.audience, until, now)
        return True

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
        return self._breaker.admits(_now()) and self._lease.fit_to_send

    async def _send(self, mark: Mark, state: Present | None) -> None:
        failures_before = self._round_of_failures
        crash_point("before-send")
        try:
            if mark.module == "cdrs":
                await deliver_cdr(self._db, self._line, mark, state)
            else:
                await bring_up_to_date(self._line, mark, state)
        except PeerUnusable as error:
            await self._failed(mark, judged(error), failures_before)
        except ValueError as error:
            await self._failed(mark, Failure(str(error), peer=False), failures_before)
        else:
            crash_point("sent")
            await self._succeeded(mark)

    async def _succeeded(self, mark: Mark) -> None:
        if not self._lease.held:
            # Another process may have sent a newer state before this one arrived.
            if mark.module != "cdrs":
                await mark_again(self._means.store, mark.peer_id, mark.module, mark.key)
            raise _LaneEnds("the lease ended while a request was out")
        self._seen.append((mark.id, mark.version))
        self._to_clear.set()
        self._delivered += 1
        latency_s = max(0.0, (_now() - mark.changed).total_seconds())
        before = self._latency_ms
        self._latency_ms = latency_s * 1000 if before is None else before * 0.9 + latency_s * 100
        metrics.DELIVERED.labels(self.peer_id, mark.module).inc()
        metrics.LATENCY.labels(mark.module).observe(latency_s)
        await self._peer_answers()

    async def _failed(self, mark: Mark, failure: Failure, failures_before: int) -> None:
        metrics.FAILED.labels(self.peer_id, mark.module, "peer" if failure.peer else "object").inc()
        now, attempts = _now(), mark.attempts + 1
        pause_s = (
            backoff_s(attempts, _PEERS_FAULT_FIRST_S, _PEERS_FAULT_LONGEST_S)
            if failure.peer
            else failure.object_waits_s(attempts)
        )
        refused = not failure.peer and not failure.suspicious
        await due_marks.hold(
            self._db, mark, now + timedelta(seconds=pause_s), failure.text, now, refused=refused
        )
        self._busy.discard(mark.id)
        if refused:
            await self._peer_answers()
            return
        self._suspicions += 1
        of_the_peer = failure.peer or self._suspicions >= SUSPICIOUS or not self._breaker.closed
        # Requests that were out together fail together: that is one failure, not eight.
        if of_the_peer and failures_before == self._round_of_failures:
            await self._peer_failed(failure)

    async def _peer_answers(self) -> None:
        self._suspicions = 0
        if not self._breaker.closed:
            self._breaker.succeeded()
            metrics.SHUT_OUT.labels(self.peer_id).set(0)
            logger.info("push to %s works again", self.peer_id)
            await self._lease.note(**self._breaker.facts())
            self._turn.set()

    async def _peer_failed(self, failure: Failure) -> None:
        self._round_of_failures += 1
        now = _now()
        self._breaker.failed(
            now, failure.text, first_s=failure.first_s, retry_after_s=failure.retry_after_s
        )
        metrics.SHUT_OUT.labels(self.peer_id).set(1)
        logger.warning("push to %s pauses: %s", self.peer_id, failure.text)
        await self._lease.note(**self._breaker.facts(), opened=now)
        await self._means.peers.failed(self.peer_id, f"push: {failure.text}", now)
        self._turn.set()

    # -- taking marks away -----------------------------------------------------------------

    async def _clear_away(self) -> None:
        while True:
            await self._to_clear.wait()
            await asyncio.sleep(_GATHER_S)
            self._to_clear.clear()
            seen, self._seen = self._seen, []
            try:
                cleared = await due_marks.clear(self._db, seen)
            except STORE_ERRORS:
                self._seen = seen + self._seen
                raise
            crash_point("cleared")
            self._busy.difference_update(id_ for id_, _ in seen)
            if cleared < len(seen) or self._behind_sessions or not self._busy:
                self._behind_sessions.clear()
                self._turn.set()

    # -- keeping the lane ------------------------------------------------------------------

    async def _renew(self) -> None:
        while True:
            before = self._delivered
            await asyncio.sleep(_RENEW_S)
            self._rate = int((self._delivered - before) / _RENEW_S)
            if await self._lease.claim() is None:
                raise _LaneEnds("another process has the lane")
            await self._look_at_peer()
            if self._rate:
                await self._lease.note(**self._figures())

    async def _look_at_peer(self) -> Peer:
        try:
            peer = await self._means.peers.get(self.peer_id)
        except KeyError:
            raise _LaneEnds("the peer is gone") from None
        if peer.status != CONNECTED:
            raise _LaneEnds(f"the peer is {peer.status}")
        token = self._means.peers.their_token(peer)
        self._line = Line(self._means.client, peer, token, self._means.timeout_s)
        self._offline = await parties_not_online(self._means.store, self.peer_id)
        return peer

    def _figures(self) -> dict[str, object]:
        figures: dict[str, object] = {}
        if self._latency_ms is not None:
            figures = {"latency_ms": round(self._latency_ms, 1), "last_delivered": _now()}
        return figures


def _now() -> datetime:
    return datetime.now(timezone.utc)
