"""Being the one process that sends: nothing goes out once the lease could be another's."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from db_interface.database import Database
from db_interface.held_lease import HeldLease
from domain.events import stream
from domain.events.stream import LEASE_S, Stream

RENEW_S = 1.0


class SenderLease(HeldLease):
    def __init__(self, db: Database, owner: str) -> None:
        super().__init__()
        self._db = db
        self.owner = owner

    async def claim(self) -> Stream | None:
        """Take or renew it; None: another process has it, or there is no stream."""
        began = time.monotonic()
        found = await stream.claim(self._db, self.owner)
        if found is None:
            self.lost()
        else:
            self.taken(began, LEASE_S)
        return found

    async def release(self) -> None:
        self.lost()
        await stream.release(self._db, self.owner)

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew it while the block runs, until it is lost."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            if await self.claim() is None:
                return
