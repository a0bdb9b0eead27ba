"""The database's clock, in milliseconds, without a round trip of its own.

Leases, deadlines, sweeps and `last_updated` go by it: hosts' wall clocks may be wrong, and differ.
The driver's monitor asks each server `hello` all the time, and the answer holds `localTime`. What
is kept of it is the distance to this host's monotonic clock, which nobody sets. An answer that
was under way for long makes the distance too small, never too large: the largest of the latest
ones is nearest to the truth (the idea of NTP's clock filter).
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime, timedelta, timezone

from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from db_interface.clocks import Clock, HostClock, uptime_s

KEPT_FOR_S = 120.0
"""A database whose clock was set is followed within this time (forwards: at once)."""
MAX_STEP_BACK_S = 1.0
"""Two answers that lie behind by more than this are no slow ones: that clock was set back."""

MAX_HOST_OFF = timedelta(seconds=2)
"""A host whose clock is further off than this is told so, and takes no requests."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

logger = logging.getLogger("cpo.store")


class DatabaseClock(ServerHeartbeatListener):
    """The primary's clock; give it to the client as an event listener.

    Thread-safe in the way that CPython's deques are: the monitor's threads write, all read.
    """

    def __init__(self, host: Clock | None = None) -> None:
        self._host = host or HostClock()
        self._host_was_right = True
        self._distances: dict[tuple[str, int | None], deque[tuple[float, float]]] = {}
        self._distance_s: float | None = None
        self._primary: tuple[str, int | None] | None = None

    def now(self) -> datetime:
        if self._distance_s is None:
            return self._host.now()
        return _EPOCH + timedelta(milliseconds=int((uptime_s() + self._distance_s) * 1000))

    def heard(self, server: tuple[str, int | None], local_time: datetime, at_s: float) -> None:
        """`server` wrote `local_time` into an answer that arrived at `at_s` of the uptime."""
        distance_s = (local_time.replace(tzinfo=timezone.utc) - _EPOCH).total_seconds() - at_s
        kept = [
            (then_s, far_s)
            for then_s, far_s in self._distances.get(server, ())
            if at_s - then_s < KEPT_FOR_S
        ]
        # One that lies behind may have been read late (a process that was stopped); not two.
        far_behind = [far_s - distance_s >= MAX_STEP_BACK_S for _, far_s in kept]
        farthest_s = max((far_s for _, far_s in kept), default=distance_s)
        if any(far_behind) and farthest_s - kept[-1][1] >= MAX_STEP_BACK_S:
            kept = [known for known, gone in zip(kept, far_behind, strict=True) if not gone]
        # One primary at a time; several routers of a cluster answer by turns.
        self._distances = {
            other: known
            for other, known in self._distances.items()
            if other != server and known and at_s - known[-1][0] < KEPT_FOR_S
        }
        self._distances[server] = deque([*kept, (at_s, distance_s)])
        self._primary = server
        self._distance_s = max(far_s for known in self._distances.values() for _, far_s in known)
        self._say_what_the_host_shows()

    def host_is_ahead(self) -> timedelta:
        """How far this host's wall clock is ahead; negative: behind."""
        return self._host.now() - self.now()

    def _say_what_the_host_shows(self) -> None:
        ahead = self.host_is_ahead()
        is_right = abs(ahead) <= MAX_HOST_OFF
        if is_right == self._host_was_right:
            return
        self._host_was_right = is_right
        if is_right:
            logger.info("this host's clock and the database's agree again")
            return
        logger.warning(
            "this host's clock is %.1f s %s the database's: set it (NTP); not ready until then",
            abs(ahead.total_seconds()),
            "ahead of" if ahead > timedelta() else "behind",
        )

    def told(self, local_time: datetime, at_s: float) -> float:
        """The primary wrote `local_time` into some other answer; by how many seconds the clock was
        slow until now, as far as that shows."""
        before_s = self._distance_s
        distance_s = (local_time.astimezone(timezone.utc) - _EPOCH).total_seconds() - at_s
        if self._primary is None or before_s is None or distance_s <= before_s:
            return 0.0
        self.heard(self._primary, local_time, at_s)
        return distance_s - before_s

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        answer = event.reply.document
        if "localTime" not in answer:
            return
        if answer.get("isWritablePrimary", answer.get("ismaster")):
            self.heard(event.connection_id, answer["localTime"], uptime_s())
        else:
            self._distances.pop(event.connection_id, None)

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        pass

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        self._distances.pop(event.connection_id, None)
