"""Telemetry of the engines: taken in order, each message once, or not at all.

A batch, what follows from it and its acknowledgement are one transaction: when Central dies in
the middle the engine sends it again, and when the answer was lost the second time changes
nothing. Which session a message means is not known here: that is its handlers' business.

Handlers run after Central's own state has followed the message, in the order in which they are
listed (charging.handlers), inside the batch's transaction, possibly more than once (it is
retried): they change nothing but the database, through `tx`. One may raise MessageRefused, before
anything is written, for a message that it can make nothing of; those after it are left out.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cpo_app.central.wire import KINDS
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import StateReported, TelemetryTaken
from domain.charge_points.engine_clocks import by_our_clock, observed
from domain.charge_points.evse_states import ConnectorState
from domain.sites import Party

logger = logging.getLogger("cpo.central")

Message = JsonObject
"""A message as cpo_app.central.wire has it, `at` as aware datetime."""


@dataclass(frozen=True)
class Handler:
    """Sees every message of `kind`: `handle(tx, charge_point, message)`."""

    kind: str
    handle: Callable[[Tx, charge_points.ChargePoint, Message], Awaitable[None]]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: not a kind of message")


class MessageRefused(Exception):
    """A handler can make nothing of the message; it is logged and counts as taken."""


class Telemetry:
    def __init__(self, store: DbInterface, party: Party, handlers: Sequence[Handler]) -> None:
        self._store = store
        self._party = party
        self._handlers = tuple(handlers)

    async def take(
        self,
        cp_id: str,
        boot_id: str,
        messages: Sequence[Message],
        received_at: datetime,
        *,
        sent_at: datetime | None = None,
    ) -> int:
        """Apply what is new of `messages` (ascending seq); up to which seq all is taken now.

        `sent_at`: when `received_at` was by the engine's clock. Their times are moved to our
        clock by what lies between (engine_clocks).
        """

        async def work(tx: Tx) -> int:
            return await self._take(tx, cp_id, boot_id, messages, received_at, sent_at)

        return await self._store.transact(work)

    async def _take(
        self,
        tx: Tx,
        cp_id: str,
        boot_id: str,
        messages: Sequence[Message],
        received_at: datetime,
        sent_at: datetime | None,
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
            clock = observed((known or {}).get("clock"), boot_id, sent_at, received_at)
        new = [{**m, "at": by_our_clock(m["at"], clock, received_at)} for m in new]
        # What an engine said before it started anew tells nothing of the connectors of today.
        outdated = any(boot["boot_id"] == boot_id for boot in boots[:-1])
        meters: dict[str, Message] = {}
        for message in new:
            if message["kind"] == "state" and not outdated:
                await self._follow(tx, key, message)
            if message["kind"] == "meter" and not outdated:
                meters[message["connector_id"]] = _reading(message)
            await self._hand_over(tx, key, message)
        seq: int = new[-1]["seq"]
        taken = TelemetryTaken(boot_id, seq, meters, clock)
        await charge_points.apply(tx, self._party, key, taken)
        return seq

    async def _follow(self, tx: Tx, key: str, message: Message) -> None:
        event = StateReported(
            connector_id=message["connector_id"],
            state=ConnectorState(message["state"]),
            ev_state=message["ev_state"],
            at=message["at"],
            error_code=message.get("error_code"),
            session_id=message.get("session_id"),
        )
        await charge_points.apply(tx, self._party, key, event)

    async def _hand_over(self, tx: Tx, key: str, message: Message) -> None:
        handlers = [one for one in self._handlers if one.kind == message["kind"]]
        if not handlers:
            return
        charge_point = await charge_points.get(tx, key) or {"_id": key}
        try:
            for handler in handlers:
                await handler.handle(tx, charge_point, message)
        except MessageRefused as refused:
            logger.warning(
                "%s: %s message %d refused: %s", key, message["kind"], message["seq"], refused
            )


def _reading(message: Message) -> Message:
    return {name: value for name, value in message.items() if name not in ("kind", "connector_id")}
