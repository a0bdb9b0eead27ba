"""What was refused before anybody looked at it: counted for Prometheus, told once in a while.

A stranger must not be able to fill the disk: of any number of refusals of one kind, one line a
minute says how many there were and who was last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from prometheus_client import Counter

logger = logging.getLogger("cpo.door")

TOLD_EVERY_S = 60.0

_COUNTED = Counter(
    "cpo_refused_total",
    "Connections and requests refused before they were read, by reason",
    ["reason"],
)


class Refusals:
    """One per process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}
        """By reason: when it was told last, and how many were refused since."""

    def count(self, reason: str, address: str) -> None:
        """`reason` is one of a few words of ours, `address` where it came from."""
        _COUNTED.labels(reason).inc()
        now = self._clock()
        told_at, since = self._told.get(reason, (float("-inf"), 0))
        if now - told_at < TOLD_EVERY_S:
            self._told[reason] = (told_at, since + 1)
            return
        self._told[reason] = (now, 0)
        more = f", and {since} more since the last such line" if since else ""
        logger.warning("refused (%s): a client at %s%s", reason, address or "?", more)


REFUSALS = Refusals()
