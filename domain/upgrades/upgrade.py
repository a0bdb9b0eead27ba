"""Brings the store to the version of this software, at the start of every process.

One process runs the steps, under a lease that it prolongs; the others wait until it is done. A new
store has nothing to upgrade. Old processes may go on while a step runs: whatever they write in the
old form is read in both forms, or put right by the step when it is their turn to be replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence

from db_interface.database import Database
from db_interface.indexes import BUILT_WITHIN_S, ensure_indexes
from db_interface.interface import DbInterface
from db_interface.snapshot import holds_nothing_but
from domain.upgrades import schema_version
from domain.upgrades.schema_version import LEASE_S, StoreIsNewer
from domain.upgrades.steps import STEPS, Step

logger = logging.getLogger("cpo.store")

LOOK_AGAIN_S = 0.5


async def make_ready(store: DbInterface) -> None:
    """The store as this version wants it: upgraded, with its indexes. Raises StoreRefused."""
    await upgrade(store)
    await ensure_indexes(store.db)


async def refuse_newer(db: Database, steps: Sequence[Step] = STEPS) -> int | None:
    """The store's version, None if it bears none. Raises StoreRefused for one that is later than
    all known here, or half restored."""
    version = await schema_version.version_of(db)
    if version is not None and version > len(steps):
        raise StoreIsNewer(version, len(steps))
    return version


async def upgrade(
    store: DbInterface, steps: Sequence[Step] = STEPS, *, look_again_s: float = LOOK_AGAIN_S
) -> list[str]:
    """Run the steps that the store lacks; the names of those that this call has run.

    Raises StoreRefused; whatever a step raises: it is run again by whoever comes next.
    """
    db, owner = store.db, str(uuid.uuid4())
    ran: list[str] = []
    while (version := await refuse_newer(db, steps)) != len(steps):
        if version is None:
            await schema_version.begin_at(db, len(steps) if await holds_nothing_but(db, ()) else 0)
        elif not await schema_version.claim(db, owner):
            await asyncio.sleep(look_again_s)
        else:
            async with _claimed(db, owner):
                to = await _next(db, steps)
                if to is not None:
                    await _run(store, steps[to - 1], to, owner, ran)
    return ran


async def _next(db: Database, steps: Sequence[Step]) -> int | None:
    """The version that the next step leads to, now that nobody else changes it."""
    version = await refuse_newer(db, steps) or 0
    return None if version == len(steps) else version + 1


async def _run(store: DbInterface, step: Step, to: int, owner: str, ran: list[str]) -> None:
    began = time.monotonic()
    # On a large store a step takes long; nobody waits for an answer here.
    with store.db.within(BUILT_WITHIN_S):
        await step.run(store)
    if await schema_version.done(store.db, owner, to, step.name):
        ran.append(step.name)
        took_s = time.monotonic() - began
        logger.info("the store is upgraded to schema %d (%s; %.1f s)", to, step.name, took_s)


@contextlib.asynccontextmanager
async def _claimed(db: Database, owner: str) -> AsyncIterator[None]:
    """The lease goes on while the block runs, however long a step takes."""

    async def prolong() -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            await schema_version.claim(db, owner)

    prolonging = asyncio.create_task(prolong())
    try:
        yield
    finally:
        prolonging.cancel()
        await asyncio.gather(prolonging, return_exceptions=True)
        await schema_version.let_go(db, owner)
