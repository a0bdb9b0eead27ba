"""Being the one process that sends: nothing goes out once the lease could be another's.

Measured from before the claim was sent, on this process's own monotonic clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from db_interface.database import Database
from domain.events import stream
from domain.events.stream import LEASE_S, Stream

RENEW_S = 1.0
_MARGIN_S = 0.5


class SenderLease:
    def __init__(self, db: Database, owner: str) -> None:
        self._db = db
        self.owner = owner
        self._claimed = self._good_until = float("-inf")

    async def claim(self) -> Stream | None:
        """Take or renew it; None: another process has it, or there is no stream."""
        began = time.monotonic()
        found = await stream.claim(self._db, self.owner)
        self._claimed = began
        self._good_until = float("-inf") if found is None else began + LEASE_S
        return found

    async def release(self) -> None:
        self._good_until = float("-inf")
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

    @property
    def fit_to_send(self) -> bool:
        return time.monotonic() + _MARGIN_S < self._good_until

    @property
    def held(self) -> bool:
        return time.monotonic() < self._good_until
