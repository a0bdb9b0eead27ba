"""Guessing costs: who fails too often hears "later" before anything is looked up for him.

Failures are counted by address and by identity (a user, a charge point), in this process at once
and in the store for all processes (limits' fixed windows). A secret that was right at an address
before is no guess there, whoever else guesses; and an identity that came in from an address is not
held up there by what others do elsewhere: nobody can lock another one out.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from limits import RateLimitItemPerMinute
from limits.aio.strategies import FixedWindowRateLimiter
from prometheus_client import Counter

from auth.failure_counters import FailureCounters
from db_interface.database import STORE_ERRORS, Database

logger = logging.getLogger("cpo.door")

WINDOW_S = 60
MAX_KEPT = 20_000
IDENTITY_SHARE = 3
"""An identity may fail this many times as often as an address: it has many, and is not to be
shut by one."""

K = TypeVar("K")
V = TypeVar("V")

_FAILED = Counter("cpo_logins_failed_total", "Wrong tokens, passwords and credentials", ["door"])
_THROTTLED = Counter(
    "cpo_throttled_total", "Requests answered 429 for too many failures before", ["door"]
)


class TooManyFailures(Exception):
    """Not now: too many wrong tokens, passwords or credentials came from there."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many failed attempts; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Throttle:
    """One per door ("console", "ocpi", "registry", "central") and process.

    `db` None: this process counts alone. `per_minute` 0: nobody is held up.
    """

    def __init__(
        self,
        door: str,
        per_minute: int,
        db: Database | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._door = door
        self._per_minute = per_minute
        self._shared: FixedWindowRateLimiter | None = None
        if db is not None:
            self.share(db)
        self._clock = clock
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """By key: when its window ends, and how many failures it has seen."""
        self._shut_until: OrderedDict[str, float] = OrderedDict()
        self._came_in: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._telling: set[asyncio.Task[None]] = set()

    def share(self, db: Database) -> None:
        """Count together with all other processes on this store from now on."""
        self._shared = FixedWindowRateLimiter(FailureCounters(db))

    def check(self, address: str, identity: str = "") -> None:
        """Return if whoever is there may try. No I/O. Raises TooManyFailures."""
        if not self._shut_until:
            return
        address = network_of(address)
        keys = [f"address {address}"]
        if identity and (address, identity) not in self._came_in:
            keys.append(f"identity {identity}")
        now = self._clock()
        left_s = max(self._shut_until.get(key, 0.0) - now for key in keys)
        if left_s > 0:
            _THROTTLED.labels(self._door).inc()
            raise TooManyFailures(int(left_s) + 1)

    def knows(self, address: str, identity: str) -> bool:
        """Whether the identity came in from there before."""
        key = (network_of(address), identity)
        if key not in self._came_in:
            return False
        self._came_in.move_to_end(key)
        return True

    def failed(self, address: str, identity: str = "") -> None:
        """An attempt was wrong: counted here at once, and soon in the store."""
        _FAILED.labels(self._door).inc()
        if not self._per_minute:
            return
        address = network_of(address)
        limits = {f"address {address}": self._per_minute}
        if identity:
            limits[f"identity {identity}"] = self._per_minute * IDENTITY_SHARE
        for key, limit in limits.items():
            self._count(key, limit)
            if self._shared is not None:
                self._tell_others(key, limit)

    def succeeded(self, address: str, identity: str) -> None:
        """The identity came in from there."""
        _keep(self._came_in, (network_of(address), identity), None)

    async def settled(self) -> None:
        """Return when the store knows of all failures so far."""
        if self._telling:
            await asyncio.wait(self._telling)

    def _count(self, key: str, limit: int) -> None:
        now = self._clock()
        ends, number = self._failures.get(key, (0.0, 0))
        if ends <= now:
            ends, number = now + WINDOW_S, 0
        _keep(self._failures, key, (ends, number + 1))
        if number + 1 >= limit:
            self._shut(key, ends)

    def _shut(self, key: str, until: float) -> None:
        if self._shut_until.get(key, 0.0) <= self._clock():
            logger.warning("%s: too many failed attempts of %s", self._door, key)
        _keep(self._shut_until, key, until)

    def _tell_others(self, key: str, limit: int) -> None:
        task = asyncio.get_running_loop().create_task(self._hit(key, limit))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _hit(self, key: str, limit: int) -> None:
        assert self._shared is not None  # noqa: S101
        item = RateLimitItemPerMinute(limit)
        try:
            await self._shared.hit(item, self._door, key)
            stats = await self._shared.get_window_stats(item, self._door, key)
        except STORE_ERRORS:
            return  # this process counts alone until the store is back
        if stats.remaining == 0:
            self._shut(key, self._clock() + max(0.0, stats.reset_time - time.time()))


def digest_of(shown: str) -> str:
    """A secret that somebody shows, as the throttle may keep it."""
    return hashlib.sha256(shown.encode()).hexdigest()


def network_of(address: str) -> str:
    """What one party has of addresses: all of IPv4's one, IPv6's /64."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    except ValueError:
        return address


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep the newest MAX_KEPT entries."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > MAX_KEPT:
        kept.popitem(last=False)
