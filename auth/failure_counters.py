"""Counters that all processes share, in the form that the `limits` library counts on."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TypedDict

from limits.aio.storage import Storage

from db_interface.collection import Collection
from db_interface.database import STORE_ERRORS, Database


class FailureCounter(TypedDict):
    _id: str
    count: int
    until: datetime
    """The end of its window; it is removed some time later (a TTL index)."""


FAILURES: Collection[FailureCounter] = Collection("failure_counters")


class FailureCounters(Storage):
    """`limits`' storage on our database, by the database's clock."""

    STORAGE_SCHEME = None

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return STORE_ERRORS

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._db.now()
        expired = {"$lte": [{"$ifNull": ["$until", now]}, now]}
        counter = await FAILURES.of(self._db).update_and_find(
            {"_id": key},
            [
                {
                    "$set": {
                        "count": {"$cond": [expired, amount, {"$add": ["$count", amount]}]},
                        "until": {"$cond": [expired, now + timedelta(seconds=expiry), "$until"]},
                    }
                }
            ],
            upsert=True,
        )
        return counter["count"] if counter else amount

    async def get(self, key: str) -> int:
        counter = await self._in_force(key)
        return counter["count"] if counter else 0

    async def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds of this host's clock, as the library wants it."""
        counter = await self._in_force(key)
        left = counter["until"] - self._db.now() if counter else timedelta()
        return (datetime.now(timezone.utc) + left).timestamp()

    async def check(self) -> bool:
        return not self._db.is_away

    async def reset(self) -> int | None:
        return await FAILURES.of(self._db).delete_many({})

    async def clear(self, key: str) -> None:
        await FAILURES.of(self._db).delete_one({"_id": key})

    async def _in_force(self, key: str) -> FailureCounter | None:
        return await FAILURES.of(self._db).find_one({"_id": key, "until": {"$gt": self._db.now()}})
