"""How far the event stream is behind, and whether the brokers take anything: read once, for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db_interface.database import Database
from domain.events import marks, stream
from domain.events.marks import EVENT_MARKS

MAX_COUNTED = 10_000
MAX_PUT_OFF = 20
LATE = timedelta(minutes=1)
"""An event that has waited for so long, brokers that fail, or that nobody sends: trouble."""


@dataclass(frozen=True)
class PutOff:
    """An event that the brokers would not have, alone."""

    about: str
    since: datetime
    next_try: datetime
    attempts: int
    reason: str


@dataclass(frozen=True)
class EventState:
    since: datetime
    """From when on changes are kept."""
    brokers: str
    sender: str | None
    """The process that sends; None: none does."""
    sender_gone_since: datetime | None
    """Since when none does; None: one does."""
    backlog: int
    """Objects whose present state was not told."""
    backlog_is_more: bool
    oldest: datetime | None
    failures: int
    """In a row."""
    reason: str | None
    failing_since: datetime | None
    next_try: datetime | None
    last_sent: datetime | None
    put_off: Sequence[PutOff]

    def trouble(self, now: datetime) -> str | None:
        """What is wrong, if anything is, in words."""
        if self.sender_gone_since is not None and now - self.sender_gone_since >= LATE:
            return "events are kept for Kafka, and no server sends them"
        if self.failures and self.failing_since and now - self.failing_since >= LATE:
            return f"Kafka takes no events: {self.reason}"
        if self.put_off:
            first = self.put_off[0]
            return f"Kafka does not take every event: {first.about}: {first.reason}"
        if self.oldest is not None and now - self.oldest >= LATE:
            return "events for Kafka wait for longer than a minute"
        return None


async def event_state(db: Database, *, max_counted: int = MAX_COUNTED) -> EventState | None:
    """None: there is no stream."""
    found = await stream.stream_of(db)
    if found is None:
        return None
    kept = EVENT_MARKS.of(db)
    backlog = await kept.count({}, limit=max_counted + 1)
    oldest = await kept.find_one({}, {"since": 1}, sort=[("since", 1)])
    failures = found["failures"]
    sender = found["owner"] if found["until"] > db.now() else ""
    return EventState(
        since=found["since"],
        brokers=found["brokers"],
        sender=sender or None,
        sender_gone_since=None if sender else max(found["until"], found["since"]),
        backlog=min(backlog, max_counted),
        backlog_is_more=backlog > max_counted,
        oldest=None if oldest is None else oldest["since"],
        failures=failures,
        reason=found.get("reason") if failures else None,
        failing_since=found.get("opened") if failures else None,
        next_try=found.get("retry_at") if failures else None,
        last_sent=found.get("last_sent"),
        put_off=[
            PutOff(one["_id"], one["since"], one["due"], one["attempts"], one.get("error", ""))
            for one in await marks.put_off_ones(db, MAX_PUT_OFF)
        ],
    )
