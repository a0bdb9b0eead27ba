"""The events' sender put together, where brokers are set: without them its library is not loaded.

Composition only.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import cpo_app.events.metrics  # noqa: F401 - what is counted is exposed, also where it is nothing
from cpo_app.settings import Settings
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.events import stream

if TYPE_CHECKING:
    from cpo_app.events.sender import EventSender

logger = logging.getLogger("cpo.events")


class SendingEvents:
    """In the background of a server; nothing without CPO_KAFKA_BROKERS."""

    def __init__(self, store: DbInterface, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._sender: EventSender | None = None

    async def start(self) -> None:
        if not self._settings.CPO_KAFKA_BROKERS:
            await self._warn_if_kept()
            return
        from cpo_app.events.sender import EventSender  # loaded where events are sent

        self._sender = EventSender(self._settings, self._store)
        self._sender.start()

    async def _warn_if_kept(self) -> None:
        # The console and the doctor say so at any time.
        with contextlib.suppress(*STORE_ERRORS):
            if await stream.stream_of(self._store.db) is not None:
                logger.warning(
                    "events are kept for Kafka, and this server has no CPO_KAFKA_BROKERS to send "
                    "them to: set it, or end it by cpo events off"
                )

    async def stop(self) -> None:
        if self._sender is not None:
            await self._sender.stop()
