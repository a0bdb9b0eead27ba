"""Telemetry of the engines: taken in order, each message once, or not at all.

A batch, what follows from it and its acknowledgement are one transaction: when Central dies in
the middle the engine sends it again, and when the answer was lost the second time changes
nothing. Which session a message means is not known here: that is its handler's business.

    telemetry.on("session_started", began)     # async began(session, charge_point, message)

A handler runs inside the batch's transaction, possibly more than once (the transaction is
retried): it changes nothing but the database, through `session`. It may raise MessageRefused,
before it writes, for a message that it can make nothing of.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from cpo_app.central.wire import KINDS
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import StateReported, TelemetryTaken
from domain.charge_points.engine_clocks import by_our_clock, observed
from domain.charge_points.evse_states import ConnectorState
from domain.sites import Party

logger = logging.getLogger("cpo.central")

Message = dict[str, Any]
"""A message as cpo_app.central.wire has it, `at` as aware datetime."""
Handler = Callable[[Tx, charge_points.Document, Message], Awaitable[None]]


class MessageRefused(Exception):
    """A handler can make nothing of the message; it is logged and counts as taken."""


class Telemetry:
    def __init__(self, store: DbInterface, party: Party) -> None:
        self._store = store
        self._party = party
        self.handlers: dict[str, Handler] = {}

    def on(self, kind: str, handler: Handler) -> None:
        """Let `handler` see every message of `kind`, after Central's own state has followed it."""
        if kind not in KINDS or kind in self.handlers:
            raise ValueError(f"{kind}: not a kind of message, or has its handler already")
        self.handlers[kind] = handler

    async def take(
        self,
        cp_id: str,
        boot_id: str,
        messages: Sequence[Message],
        now: datetime,
        *,
        sent_at: datetime | None = None,
    ) -> int:
        """Apply what is new of `messages` (ascending seq); up to which seq all is taken now.

        `now`: when they were received; `sent_at`: when that was by the engine's clock. Their
        times are moved to our clock by what lies between (engine_clocks).
        """

        async def work(tx: Tx) -> int:
            return await self._take(cp_id, boot_id, messages, now, sent_at, tx)

        return await self._store.transact(work)

    async def _take(
        self,
        cp_id: str,
        boot_id: str,
        messages: Sequence[Message],
        now: datetime,
        sent_at: datetime | None,
        tx: Tx,
    ) -> int:
        key = await charge_points.canonical_id(tx, cp_id) or cp_id
        known = await charge_points.get(tx, key)
        boots = known["boots"] if known else []
        acked = next((boot["seq"] for boot in boots if boot["boot_id"] == boot_id), 0)
        new = [message for message in messages if message["seq"] > acked]
        if not new:
            return acked
        clock = None
        if sent_at is not None:
            clock = observed((known or {}).get("clock"), boot_id, sent_at, now)
        new = [{**m, "at": by_our_clock(m["at"], clock, now)} for m in new]
        # What an engine said before it started anew tells nothing of the connectors of today.
        outdated = any(boot["boot_id"] == boot_id for boot in boots[:-1])
        meters: dict[str, Message] = {}
        for message in new:
            if message["kind"] == "state" and not outdated:
                await self._follow(key, message, now, tx)
            if message["kind"] == "meter" and not outdated:
                meters[message["connector_id"]] = _reading(message)
            await self._hand_over(key, message, tx)
        taken = TelemetryTaken(boot_id, new[-1]["seq"], meters, clock)
        await charge_points.apply(tx, self._party, key, taken)
        return new[-1]["seq"]

    async def _follow(self, key: str, message: Message, now: datetime, tx: Tx) -> None:
        event = StateReported(
            connector_id=message["connector_id"],
            state=ConnectorState(message["state"]),
            ev_state=message["ev_state"],
            at=message["at"],
            error_code=message.get("error_code"),
            session_id=message.get("session_id"),
        )
        await charge_points.apply(tx, self._party, key, event)

    async def _hand_over(self, key: str, message: Message, tx: Tx) -> None:
        handler = self.handlers.get(message["kind"])
        if handler is None:
            return
        charge_point = await charge_points.get(tx, key)
        try:
            await handler(tx, charge_point or {"_id": key}, message)
        except MessageRefused as refused:
            logger.warning(
                "%s: %s message %d refused: %s", key, message["kind"], message["seq"], refused
            )


def _reading(message: Message) -> Message:
    return {name: value for name, value in message.items() if name not in ("kind", "connector_id")}
