"""Telling a target what waits for it: one after another, in order, by one process at a time.

A target that refuses, hangs or is away rests with growing pauses; after a day a message that it
never took is given up, and shown. Nothing here knows how a target is reached.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Protocol

from db_interface.interface import DbInterface
from domain.notices import deliveries
from domain.notices.deliveries import Message, NoticeDelivery
from domain.rounds import Rounds

logger = logging.getLogger("cpo.notices")

PAUSE_S = 1.0
WITHIN_S = 10.0


class NotTaken(Exception):
    """The target did not take the message; the text says why, in one line without any secret."""


class Target(Protocol):
    """Who is told."""

    @property
    def id(self) -> str:
        """The same in every process and after every restart; holds no secret."""

    async def tell(self, message_id: str, message: Message) -> None:
        """Returning means that the target has it. Raises NotTaken."""


class Telling:
    """One target's messages; `rounds.start` and `stop` the background work."""

    def __init__(self, store: DbInterface, target: Target) -> None:
        self._store = store
        self._target = target
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds(f"notices to {target.id}", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Tell it what waits, unless another process does or the target rests."""
        db, lane = self._store.db, self._target.id
        if not await deliveries.anything_for(db, lane):
            return
        try:
            while await deliveries.claim(db, lane, self._owner):
                delivery = await deliveries.next_for(db, lane)
                if delivery is None or not await self._told(delivery):
                    break
        finally:
            await deliveries.let_go(db, lane, self._owner)

    async def _told(self, delivery: NoticeDelivery) -> bool:
        why = await attempt(self._target, delivery["_id"], delivery["message"])
        if why is None:
            await self._store.transact(lambda tx: deliveries.taken(tx, delivery))
            return True
        given_up = await self._store.transact(lambda tx: deliveries.refused(tx, delivery, why))
        if given_up:
            logger.error("%s never took a notice, which is given up: %s", self._target.id, why)
        else:
            logger.warning("%s did not take a notice, which waits: %s", self._target.id, why)
        return False


async def attempt(target: Target, message_id: str, message: Message) -> str | None:
    """Tell it now: None, or why it did not take it."""
    try:
        await asyncio.wait_for(target.tell(message_id, message), WITHIN_S)
    except NotTaken as error:
        return str(error)
    except asyncio.TimeoutError:
        return f"it did not answer within {WITHIN_S:.0f} s"
    return None
