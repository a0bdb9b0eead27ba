"""When `cpo up` is up: its servers answer, and its simulated charge points were heard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

import httpx

from cpo_app.settings import Settings
from db_interface.database import Database

logger = logging.getLogger("cpo.up")

START_TIMEOUT_S = 60.0
HEARD_TIMEOUT_S = 30.0
LOOK_AGAIN_S = 0.2


async def all_answer(urls: Sequence[str]) -> bool:
    """Wait until all are ready; says which is not after START_TIMEOUT_S and returns False."""
    deadline = time.monotonic() + START_TIMEOUT_S
    async with httpx.AsyncClient(timeout=2, verify=False) as client:  # noqa: S501 - ourselves
        for url in urls:
            while not await _answers(client, url):
                if time.monotonic() > deadline:
                    logger.error("%s does not answer yet; see the lines above", url)
                    return False
                await asyncio.sleep(LOOK_AGAIN_S)
    return True


async def all_heard(settings: Settings, cp_ids: Sequence[str]) -> bool:
    """Wait until EV_Central has heard each of them from now on; says how many it has not after
    HEARD_TIMEOUT_S and returns False."""
    # The domain only here: `cpo up` itself starts without it.
    from domain.operator.charge_points import not_heard_since

    db = Database.connect(settings.CPO_MONGO_URL)
    try:
        await db.ping()
        began, deadline = db.now(), time.monotonic() + HEARD_TIMEOUT_S
        while waiting := await not_heard_since(db, cp_ids, began):
            if time.monotonic() > deadline:
                logger.warning("%d of %d charge points are not heard yet", waiting, len(cp_ids))
                return False
            await asyncio.sleep(LOOK_AGAIN_S)
        return True
    finally:
        db.close()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return (await client.get(url)).status_code == 200
    return False
