"""Telemetry that is nothing but meter values: of many charge points in one transaction.

A batch is answered when the transaction is committed: what is acknowledged is kept for good. A
charge point with whose readings something turns (a price, a doubt, an engine that started anew) is
told apart, and goes the whole way by itself (telemetry.py).

There is one such transaction at a time: the longer they take, the more readings are in the next
one. So many are answered at once, and come again at once, that others are heard in between.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cpo_app.central import metrics
from cpo_app.central.precedence import Precedence
from cpo_app.central.wire import MeterMessage
from db_interface.database import is_passing
from db_interface.gathered import Gathered
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_documents import ChargePoint, Reading
from domain.charge_points.charge_point_events import TelemetryTaken
from domain.charge_points.engine_clocks import by_our_clock, observed
from domain.sessions import session_segments
from domain.sessions.quiet_readings import QuietReadings
from domain.sessions.session_rules import Rules

logger = logging.getLogger("cpo.central")

GATHERED_FOR_S = 0.2
_NOT_SHOWN = frozenset({"kind", "connector_id"})
MAX_AT_ONCE = 200


@dataclass(frozen=True)
class MeterBatch:
    """What one engine sent."""

    cp_id: str
    boot_id: str
    messages: Sequence[MeterMessage]
    received_at: datetime
    sent_at: datetime | None


class MeterBatches:
    """`precedence`: what the readings give way to."""

    def __init__(
        self,
        store: DbInterface,
        rules: Rules,
        *,
        gather_s: float = GATHERED_FOR_S,
        precedence: Precedence | None = None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._waiting: dict[str, MeterBatch] = {}
        self._together: Gathered[int] = Gathered(
            store.db,
            self._take,
            gather_s,
            max_at_once=MAX_AT_ONCE,
            give_way=None if precedence is None else precedence.give_way,
        )

    async def take(self, batch: MeterBatch) -> int | None:
        """Up to which seq all is taken and kept now; None: something turns, nothing was done."""
        if batch.cp_id in self._waiting:
            return None  # the same engine once more: who comes first will be seen in the store
        self._waiting[batch.cp_id] = batch
        try:
            return await self._together.get(batch.cp_id)
        finally:
            self._waiting.pop(batch.cp_id, None)

    async def _take(self, cp_ids: Sequence[str]) -> Mapping[str, int]:
        batches = [self._waiting[cp_id] for cp_id in cp_ids if cp_id in self._waiting]

        async def work(tx: Tx) -> Mapping[str, int]:
            return await self._write(tx, batches)

        try:
            return await self._store.transact(work)
        except Exception as error:
            if is_passing(error):
                raise
            # One by one they show whose it is, and that one is set aside.
            logger.exception(
                "meter values of %d charge points cannot be taken at once", len(cp_ids)
            )
            return {}

    async def _write(self, tx: Tx, batches: Sequence[MeterBatch]) -> Mapping[str, int]:
        known = {
            row["_id"]: row
            for row in await charge_points.some(
                tx, [batch.cp_id for batch in batches], ("boots", "connectors", "clock")
            )
        }
        ids = {message.session_id for batch in batches for message in batch.messages}
        sessions = await QuietReadings.of(tx, self._rules, sorted(ids))
        acked: dict[str, int] = {}
        taken: list[tuple[ChargePoint, TelemetryTaken]] = []
        for batch in batches:
            charge_point = known.get(batch.cp_id)
            boots = charge_point.get("boots") if charge_point else None
            if charge_point is None or not boots or boots[-1]["boot_id"] != batch.boot_id:
                continue
            before = boots[-1]["seq"]
            new = [message for message in batch.messages if message.seq > before]
            if not new:
                acked[batch.cp_id] = before
                continue
            event = _followed(batch, charge_point, new, sessions)
            if event is not None:
                taken.append((charge_point, event))
                metrics.kept(tx, by_our_clock(new[-1].at, event.clock, batch.received_at))
                acked[batch.cp_id] = event.seq
        await sessions.write()
        await charge_points.took_telemetry(tx, taken)
        return acked


def _followed(
    batch: MeterBatch,
    charge_point: ChargePoint,
    messages: Sequence[MeterMessage],
    sessions: QuietReadings,
) -> TelemetryTaken | None:
    """What the readings change at the charge point; None where they do more than that."""
    clock = None
    if batch.sent_at is not None:
        clock = observed(charge_point.get("clock"), batch.boot_id, batch.sent_at, batch.received_at)
    meters: dict[str, Reading] = {}
    readings = []
    for message in messages:
        at = by_our_clock(message.at, clock, batch.received_at)
        reading = session_segments.Reading(
            at=at,
            energy_wh=message.energy_wh,
            power_w=message.power_w,
            current_a=message.current_a,
            voltage_v=message.voltage_v,
            phases=message.phases,
            limit_w=message.limit_w,
        )
        readings.append((message.session_id, reading, message.register_wh, message.soc))
        # As its `dict` has it, which takes twenty times as long.
        shown = {name: value for name, value in vars(message).items() if name not in _NOT_SHOWN}
        meters[message.connector_id] = {**shown, "at": at}
    if not sessions.take(batch.cp_id, readings):
        return None
    return TelemetryTaken(batch.boot_id, messages[-1].seq, meters, clock)
