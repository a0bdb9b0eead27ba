"""A server does not start on a store that a later version has changed: it says so and ends.

A store that does not answer now is no reason: the server starts, and waits for it.
"""

from __future__ import annotations

import asyncio
import logging

from cpo_app.bootstrap import Prepared
from domain.upgrades.schema_version import StoreRefused
from domain.upgrades.upgrade import refuse_newer

logger = logging.getLogger("cpo")

ANSWER_WITHIN_S = 1.0


def demand_known_store(ground: Prepared) -> None:
    """Raises StoreRefused."""

    async def look() -> None:
        db = ground.database()
        try:
            with db.within(ANSWER_WITHIN_S):
                await refuse_newer(db)
        except StoreRefused:
            raise
        except Exception as error:  # the server will find it, too, and wait
            logger.debug("the store does not tell its version: %s", error)
        finally:
            db.close()

    asyncio.run(look())
