"""Holds the stations of this process against their configuration's templates.

A station is held against them soon after it has booted, once a template that applies to it has
changed, and every `every_s`; a few stations a second, one after another, for all may boot at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from cpo_app.ocpp.box import Asked, NotAnswered
from cpo_app.ocpp.connection import Connection
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp import configuring, local_lists, templates
from domain.ocpp.configuring import NotTold
from domain.ocpp.local_lists import ListNotSent
from domain.rounds import Rounds

logger = logging.getLogger("cpo.ocpp")

LOOKED_EVERY_S = 1.0
AFTER_BOOT_S = 0.5
"""Its boot has to be answered first."""
SPREAD_S = 0.02
"""For each that is connected: where all have booted at once, they charge before they are asked."""
AT_ONCE = 10
ANSWERED_WITHIN_S = 30.0

_LATER: tuple[type[Exception], ...] = (
    NotAnswered,
    NotTold,
    ListNotSent,
    *STORE_ERRORS,
)

CarryOut = Callable[[str, Asked], Awaitable[JsonObject]]


@dataclass
class _Seen:
    boots: int
    due: float


class Configuring:
    """`held`: the connections, as they come and go. `carry_out` asks a station."""

    def __init__(
        self,
        store: DbInterface,
        held: Mapping[str, Connection],
        carry_out: CarryOut,
        *,
        every_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._held = held
        self._carry_out = carry_out
        self._every_s = every_s
        self._sleep = sleep
        self._seen: dict[str, _Seen] = {}
        self._templates_of: tuple[int, datetime] | None = None
        self._working: dict[str, asyncio.Task[None]] = {}
        self.rounds = Rounds("OCPP configuration", self.look, LOOKED_EVERY_S, logger=logger)

    async def stop(self) -> None:
        await self.rounds.stop()
        tasks = list(self._working.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """See to those that are due."""
        now = time.monotonic()
        changed = await self._templates_changed()
        living = {one.id: one for one in list(self._held.values()) if not one.held}
        self._seen = {id_: seen for id_, seen in self._seen.items() if id_ in living}
        for id_, connection in living.items():
            seen = self._seen.get(id_)
            if seen is None:
                # It may have come without a boot, and all others with it.
                seen = _Seen(0, now + random.uniform(0.1, 1.0) * self._every_s)
                self._seen[id_] = seen
            if connection.boots > seen.boots:
                spread_s = random.uniform(0, SPREAD_S * len(living))
                seen.boots, seen.due = connection.boots, now + AFTER_BOOT_S + spread_s
            elif changed and seen.boots:
                seen.due = min(seen.due, now)
            if seen.due <= now and len(self._working) < AT_ONCE and id_ not in self._working:
                seen.due = now + self._every_s
                # Not all at once: whoever asks for something else would wait behind them.
                after_s = LOOKED_EVERY_S * len(self._working) / AT_ONCE
                task = asyncio.create_task(self._configure(connection, after_s))
                self._working[id_] = task
                task.add_done_callback(partial(self._ended, id_))

    def _ended(self, id_: str, _task: asyncio.Task[None]) -> None:
        self._working.pop(id_, None)

    async def _templates_changed(self) -> bool:
        latest = await templates.changed_at(self._store.db)
        before, self._templates_of = self._templates_of, latest
        return before != latest

    async def _configure(self, connection: Connection, after_s: float) -> None:
        await self._sleep(after_s)

        async def ask(op: str, fields: JsonMapping) -> JsonObject:
            return await self._carry_out(op, Asked(connection, 0, fields, ANSWERED_WITHIN_S))

        station = connection.station_id
        try:
            done = await configuring.configure(self._store, connection.station, ask)
            if await local_lists.bring_up_to_date(self._store, station, ask):
                logger.info("%s: its list of cards was brought up to date", station)
        except _LATER as error:
            logger.info("%s: not held against what it should be: %s", station, error)
            return
        except Exception:  # nobody awaits this task: its error would be lost
            logger.exception("%s: its configuration could not be read", station)
            return
        for row in done["drift"]:
            level = logging.INFO if row["status"] == "Accepted" else logging.WARNING
            logger.log(
                level,
                "%s: %s was not as template %s wants it: %s",
                station,
                row["key"],
                row["template"],
                row["status"],
            )
