"""When a peer is asked again after it failed: backoff with jitter, one probe, Retry-After. Pure.

The breaker is closed (all goes out) until the peer fails as a whole. Then nothing goes out
until `retry_at`; after that a single mark is tried, and its success closes the breaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from db_interface.backoff import Backoff
from db_interface.json_data import JsonObject
from domain.outbox.push_lanes import PushLane

FIRST_S, MAX_DURATION_S = 1.0, 300.0


@dataclass
class Breaker:
    """One peer's. `failures` in a row; 0 is closed."""

    failures: int = 0
    retry_at: datetime | None = None
    reason: str = ""

    @classmethod
    def of(cls, lane: PushLane) -> Breaker:
        """As the lane's document keeps it."""
        return cls(lane.get("failures", 0), lane.get("retry_at"), lane.get("reason") or "")

    def facts(self) -> JsonObject:
        """For the lane's document."""
        return {"failures": self.failures, "retry_at": self.retry_at, "reason": self.reason}

    @property
    def closed(self) -> bool:
        return self.failures == 0

    def admits(self, now: datetime) -> bool:
        """Whether anything may go out now; if not closed, a single probe."""
        return self.retry_at is None or now >= self.retry_at

    def failed(
        self,
        now: datetime,
        reason: str,
        *,
        first_s: float = FIRST_S,
        retry_after_s: float | None = None,
    ) -> None:
        """The peer failed as a whole. It is never asked before its own Retry-After."""
        self.failures += 1
        self.reason = reason
        pause_s = Backoff(first_s, max(MAX_DURATION_S, first_s)).after(self.failures)
        self.retry_at = now + timedelta(seconds=max(pause_s, retry_after_s or 0.0))

    def succeeded(self) -> None:
        self.failures, self.retry_at, self.reason = 0, None, ""
