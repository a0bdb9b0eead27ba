"""Holding a peer's lane: nothing is sent once the lease could have passed to another process."""

from __future__ import annotations

import time

from db_interface.database import Database
from db_interface.held_lease import HeldLease
from domain.outbox import push_lanes


class Lease(HeldLease):
    def __init__(self, db: Database, peer_id: str, owner: str) -> None:
        super().__init__()
        self._db = db
        self._peer_id = peer_id
        self._owner = owner

    async def claim(self) -> push_lanes.PushLane | None:
        """Take or renew it; the lane's document, or None while another process has it."""
        began = time.monotonic()
        lane = await push_lanes.claim(self._db, self._peer_id, self._owner)
        if lane is None:
            self.lost()
        else:
            self.taken(began, push_lanes.LEASE_S)
        return lane

    async def note(self, **facts: object) -> None:
        await push_lanes.note(self._db, self._peer_id, self._owner, facts)

    async def release(self) -> None:
        self.lost()
        await push_lanes.release(self._db, self._peer_id, self._owner)
