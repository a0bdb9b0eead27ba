"""Whether a primary is in sight, without asking: the driver's monitors tell.

While there is none a request need not wait for one: it fails within `AWAY_WITHIN_S`, and the caller
hears so at once. The driver looks for the server on its own all the while.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pymongo
from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

AWAY_AFTER_S = 1.0
"""An election may take that long without anybody hearing of it."""
AWAY_WITHIN_S = 0.2
"""How long a request looks for a server that is known to be away."""


class Reachability(TopologyListener):
    """Give it to the client as an event listener. Written by the monitors' threads, read by all."""

    def __init__(self) -> None:
        self._lost_at: float | None = None

    @property
    def away(self) -> bool:
        """Whether no server has taken writes for a while. False before the first look."""
        lost_at = self._lost_at
        return lost_at is not None and time.monotonic() - lost_at > AWAY_AFTER_S

    @contextlib.contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Within the block nobody waits for a server that is known to be away."""
        if not self.away:
            yield
            return
        with pymongo.timeout(AWAY_WITHIN_S):
            yield

    def opened(self, event: TopologyOpenedEvent) -> None:
        self._lost_at = time.monotonic()

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        if event.new_description.has_writable_server():
            self._lost_at = None
        elif self._lost_at is None:
            self._lost_at = time.monotonic()

    def closed(self, event: TopologyClosedEvent) -> None:
        pass
