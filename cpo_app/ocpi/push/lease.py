"""Holding a peer's lane: nothing may be sent once the lease could have passed to another process.

Measured from before the claim was sent, on this process's own monotonic clock.
"""

from __future__ import annotations

import time

from db_interface.database import Database
from domain.outbox import push_lanes

# Left over when a send begins: a process that stalls longer than this in between is found out
# afterwards (`held`), and the object is marked again.
_MARGIN_S = 0.5


class Lease:
    def __init__(self, db: Database, peer_id: str, owner: str) -> None:
        self._db = db
        self._peer_id = peer_id
        self._owner = owner
        self._good_until = 0.0

    async def claim(self) -> push_lanes.PushLane | None:
        """Take or renew it; the lane's document, or None while another process has it."""
        began = time.monotonic()
        lane = await push_lanes.claim(self._db, self._peer_id, self._owner)
        self._good_until = 0.0 if lane is None else began + push_lanes.LEASE_S
        return lane

    async def note(self, **facts: object) -> None:
        await push_lanes.note(self._db, self._peer_id, self._owner, facts)

    async def release(self) -> None:
        self._good_until = 0.0
        await push_lanes.release(self._db, self._peer_id, self._owner)

    @property
    def fit_to_send(self) -> bool:
        return time.monotonic() + _MARGIN_S < self._good_until

    @property
    def held(self) -> bool:
        return time.monotonic() < self._good_until
