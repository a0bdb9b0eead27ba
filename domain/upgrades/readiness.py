"""A server's start: the store made ready once it answers, however long that takes.

Never gives up, and says in one line what it waits for; a traceback only for a mistake of ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from db_interface.database import is_passing
from db_interface.interface import DbInterface
from domain.upgrades.schema_version import StoreRefused
from domain.upgrades.upgrade import make_ready

logger = logging.getLogger("cpo.store")

REFUSED_AGAIN_S = 30.0
"""How often the store is looked at again that a later version has changed."""
AGAIN_S = 2.0


async def until_ready(
    store: DbInterface, then: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Upgrade, make indexes, and do what the caller does `then`; all of it again until it works."""
    while True:
        await store.db.wait_until_reachable()
        try:
            await make_ready(store)
            if then is not None:
                await then()
            return
        except StoreRefused as error:
            logger.error("%s", error)
            await asyncio.sleep(REFUSED_AGAIN_S)
        except Exception as error:
            if is_passing(error):
                logger.warning("the store went away during the start; trying again: %s", error)
            else:
                logger.exception("the store answers, but the start failed; trying again")
            await asyncio.sleep(AGAIN_S)
