"""Who gave a wrong password or code waits, longer each time: of a name from an address, of an
address whatever names it tries, and, with patience, of a name wherever it is tried from.

Kept in the store: a restart, or another process, forgets nothing. A name alone is never held up for
more than a minute: nobody can lock another one out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict

from auth.throttle import TooManyFailures, network_of
from db_interface.collection import Collection
from db_interface.database import Database

FORGOTTEN_AFTER = timedelta(hours=1)
_MAX_DOUBLINGS = 12


class LoginDelay(TypedDict):
    _id: str
    failures: int
    last: datetime
    until: datetime
    """Not before."""


LOGIN_DELAYS: Collection[LoginDelay] = Collection("login_delays")


class _Patience(NamedTuple):
    """How many failures are free, and how long the delay grows (1 s, 2 s, 4 s, ...)."""

    free: int
    max_delay_s: int


_OF_BOTH, _OF_ADDRESS, _OF_NAME = _Patience(5, 900), _Patience(20, 900), _Patience(50, 60)


class LoginDelays:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def check(self, address: str, name: str) -> None:
        """Return if that name may try from there now; raises TooManyFailures."""
        keys = list(_keys(address, name))
        now = self._db.now()
        found = await LOGIN_DELAYS.of(self._db).find({"_id": {"$in": keys}, "until": {"$gt": now}})
        if found:
            left = max(delay["until"] for delay in found) - now
            raise TooManyFailures(int(left.total_seconds()) + 1)

    async def failed(self, address: str, name: str) -> None:
        for key, patience in _keys(address, name).items():
            await self._count(key, patience)

    async def succeeded(self, address: str, name: str) -> None:
        """What was wrong before was a slip."""
        both = next(iter(_keys(address, name)))
        await LOGIN_DELAYS.of(self._db).delete_one({"_id": both})

    async def _count(self, key: str, patience: _Patience) -> None:
        now = self._db.now()
        long_ago = {"$lt": [{"$ifNull": ["$last", now]}, now - FORGOTTEN_AFTER]}
        more = {"$add": [{"$ifNull": ["$failures", 0]}, 1]}
        beyond = {"$subtract": ["$failures", patience.free + 1]}
        delay_s = {
            "$min": [{"$pow": [2, {"$min": [beyond, _MAX_DOUBLINGS]}]}, patience.max_delay_s]
        }
        delay_ms = {"$multiply": [1000, {"$cond": [{"$lt": [beyond, 0]}, 0, delay_s]}]}
        await LOGIN_DELAYS.of(self._db).update_one(
            {"_id": key},
            [
                {"$set": {"failures": {"$cond": [long_ago, 1, more]}, "last": now}},
                {"$set": {"until": {"$add": [now, delay_ms]}}},
            ],
            upsert=True,
        )


def _keys(address: str, name: str) -> dict[str, _Patience]:
    """Both together first."""
    network, folded = network_of(address), name.lower()[:64]
    return {
        f"{folded} from {network}": _OF_BOTH,
        f"from {network}": _OF_ADDRESS,
        folded: _OF_NAME,
    }
