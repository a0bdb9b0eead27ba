"""The collection `ocpp_messages`: what a station and we have said to each other, redacted.

Kept in memory for a second and written many at a time, without waiting for a majority: it is for
looking at, and nothing hangs on it. Bounded: so many of a station, for so long, and in memory.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypedDict

from db_interface.collection import Collection
from db_interface.database import STORE_ERRORS, Database
from domain.ocpp.redaction import kept, kept_unread
from domain.rounds import Rounds

logger = logging.getLogger("cpo.ocpp")

WRITTEN_EVERY_S = 1.0
MAX_IN_MEMORY = 20_000
AT_ONCE = 1000

_NEVER = frozenset({"Heartbeat"})
"""They say nothing but that the station lives, and would be all that is left."""

Kind = Literal["CALL", "CALLRESULT", "CALLERROR", "SEND", "unreadable"]


class Message(TypedDict, total=False):
    """A document of `ocpp_messages`."""

    station: str
    at: datetime
    n: int
    """order of those of one moment"""
    from_us: bool
    kind: str
    action: str
    message_id: str
    content: str
    """JSON text, redacted"""
    expires: datetime


MESSAGES: Collection[Message] = Collection("ocpp_messages")


class MessageLog:
    """Of one process. `per_station` 0: nothing is kept."""

    def __init__(self, db: Database, *, per_station: int, days: float) -> None:
        self._db = db
        self._per_station = per_station
        self._kept_for = timedelta(days=days)
        self._waiting: deque[Message] = deque(maxlen=MAX_IN_MEMORY)
        self._n = 0
        self._since_trimmed: Counter[str] = Counter()
        self.rounds = Rounds("OCPP message log", self.write, WRITTEN_EVERY_S, logger=logger)

    def note(
        self,
        station: str,
        kind: Kind,
        content: object,
        *,
        from_us: bool,
        action: str = "",
        message_id: str = "",
    ) -> None:
        """Keep a message; `content`: its payload, or the frame where it is `unreadable`."""
        if not self._per_station or action in _NEVER:
            return
        now = self._db.now()
        self._n += 1
        unread = kind == "unreadable" and isinstance(content, (str, bytes))
        self._waiting.append(
            {
                "station": station,
                "at": now,
                "n": self._n,
                "from_us": from_us,
                "kind": kind,
                "action": action[:60],
                "message_id": message_id,
                "content": kept_unread(content) if unread else kept(content),  # type: ignore[arg-type]
                "expires": now + self._kept_for,
            }
        )

    async def write(self) -> None:
        """Write what came since the last time, and let go what is too much."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await MESSAGES.of(self._db).expendable().insert_many(batch)
            except STORE_ERRORS:
                self._waiting.extendleft(reversed(batch))
                raise
            self._since_trimmed.update(message["station"] for message in batch)
        for station, number in list(self._since_trimmed.items()):
            if number * 10 > self._per_station:
                del self._since_trimmed[station]
                await self.trim(station)

    async def trim(self, station: str) -> None:
        """Keep the newest `per_station` of a station."""
        found = await MESSAGES.of(self._db).find(
            {"station": station},
            {"at": 1, "n": 1},
            sort=[("at", -1), ("n", -1)],
            skip=self._per_station,
            limit=1,
        )
        for oldest in found:
            await MESSAGES.of(self._db).delete_many(
                {"station": station, "at": {"$lte": oldest["at"]}}
            )


_SHOWN = {"_id": 0, "expires": 0}
_NEWEST = [("at", -1), ("n", -1)]


async def walked(
    db: Database, station: str, *, since: datetime | None, until: datetime | None
) -> AsyncIterator[Message]:
    """The messages of a station from the newest on, batch by batch: whoever has enough stops."""
    query = {"station": station, **_times(since, until)}
    async for message in MESSAGES.of(db).stream(query, _SHOWN, sort=_NEWEST):
        yield message


async def between(
    db: Database,
    station: str,
    first: datetime,
    last: datetime,
    *,
    limit: int,
) -> list[Message]:
    """Those of that time, both ends in, the oldest first."""
    return await MESSAGES.of(db).find(
        {"station": station, "at": {"$gte": first, "$lte": last}},
        _SHOWN,
        sort=[("at", 1), ("n", 1)],
        limit=limit,
    )


def _times(since: datetime | None, until: datetime | None) -> dict[str, object]:
    bounds = {name: at for name, at in {"$gte": since, "$lt": until}.items() if at is not None}
    return {"at": bounds} if bounds else {}


async def listed(
    db: Database,
    station: str,
    *,
    action: str | None = None,
    message_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    limit: int = 100,
) -> Sequence[Message]:
    """The latest messages of a station, the newest first. `text`: in their content."""
    query: dict[str, object] = {"station": station, **_times(since, until)}
    if action:
        query["action"] = action
    if message_id:
        query["message_id"] = message_id
    if text:
        query["content"] = {"$regex": re.escape(text), "$options": "i"}
    return await MESSAGES.of(db).find(query, _SHOWN, sort=_NEWEST, limit=limit)
