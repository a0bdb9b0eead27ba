"""Meter values of many stations in one transaction, where nothing turns with them.

Most readings only move a session's energy on. What one of them comes to alone costs a transaction;
two hundred of them cost hardly more. Each is answered when the transaction is committed. One with
which something turns (a price, a doubt, an unknown transaction) is told apart, and goes the whole
way by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from cpo_app.ocpp.charging import readings
from cpo_app.ocpp.charging.station_clock import Times, clock_of
from db_interface.database import is_passing
from db_interface.gathered import Gathered
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_documents import ChargePoint
from domain.charge_points.charge_point_events import NewsTaken
from domain.ocpp import connections, transactions
from domain.ocpp.meter_values import Measured
from domain.ocpp.transactions import Transaction
from domain.sessions.quiet_readings import QuietReadings
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import Reading

logger = logging.getLogger("cpo.ocpp")

GATHERED_FOR_S = 0.2
MAX_AT_ONCE = 200


class Taken(Enum):
    YES = "yes"
    NOT_HELD = "not held"
    """The station is at another connection by now."""


@dataclass(frozen=True)
class Readings:
    """A message that may be nothing but meter values of a running transaction. `number`: of an
    event of 2.0.1; `charging_state`: as that tells it."""

    station: str
    connection: str
    transaction_id: int | str
    measured: Sequence[Measured]
    told_at: datetime
    received_at: datetime
    waited: bool
    number: int | None = None
    charging_state: str | None = None


class GatheredReadings:
    """`give_way`: awaited before each transaction."""

    def __init__(
        self,
        store: DbInterface,
        rules: Rules,
        give_way: Callable[[], Awaitable[None]],
        *,
        gather_s: float = GATHERED_FOR_S,
    ) -> None:
        self._store = store
        self._rules = rules
        self._waiting: dict[str, Readings] = {}
        self._together: Gathered[Taken] = Gathered(
            store.db, self._take, gather_s, max_at_once=MAX_AT_ONCE, give_way=give_way
        )

    async def take(self, given: Readings) -> Taken | None:
        """None: something turns with it, and nothing was done."""
        if given.station in self._waiting:
            return None
        self._waiting[given.station] = given
        try:
            return await self._together.get(given.station)
        finally:
            self._waiting.pop(given.station, None)

    async def _take(self, stations: Sequence[str]) -> Mapping[str, Taken]:
        given = {one: self._waiting[one] for one in stations if one in self._waiting}

        async def work(tx: Tx) -> Mapping[str, Taken]:
            return await self._write(tx, given)

        try:
            return await self._store.transact(work)
        except Exception as error:
            if is_passing(error):
                raise
            # One by one they show whose it is.
            logger.exception("meter values of %d stations cannot be taken at once", len(given))
            return {}

    async def _write(self, tx: Tx, given: Mapping[str, Readings]) -> Mapping[str, Taken]:
        held = await connections.held_of(
            tx, {station: one.connection for station, one in given.items()}
        )
        found = await transactions.some(
            tx, {station: one.transaction_id for station, one in given.items() if station in held}
        )
        quiet = {
            station: known for station, known in found.items() if _is_quiet(known, given[station])
        }
        there = {
            row["_id"]: row
            for row in await charge_points.some(
                tx, sorted({one["cp_id"] for one in quiet.values()}), ("connectors", "clock")
            )
        }
        ids = sorted({one["session_id"] for one in quiet.values()})
        sessions = await QuietReadings.of(tx, self._rules, ids)
        answers: dict[str, Taken] = {
            station: Taken.NOT_HELD for station in given if station not in held
        }
        changed: list[tuple[Transaction, Transaction]] = []
        news: dict[str, NewsTaken] = {}
        for station, known in quiet.items():
            charge_point = there.get(known["cp_id"])
            if charge_point is None or known["cp_id"] in news:
                continue
            followed = _followed(given[station], known, charge_point, sessions)
            if followed is not None:
                changes, news[known["cp_id"]] = followed
                changed.append((known, changes))
                answers[station] = Taken.YES
        await transactions.change_each(tx, changed)
        await sessions.write()
        await charge_points.took_telemetry(
            tx, [(there[cp_id], event) for cp_id, event in news.items()]
        )
        return answers


def _is_quiet(known: Transaction, given: Readings) -> bool:
    if not known["begun"] or known["ended"] or known.get("nobodys"):
        return False
    if given.number is not None and transactions.has_seen(known["seen"], given.number):
        return False
    told = given.charging_state
    return told is None or told == known.get("charging_state")


def _followed(
    given: Readings, known: Transaction, charge_point: ChargePoint, sessions: QuietReadings
) -> tuple[Transaction, NewsTaken] | None:
    """What the readings change; None where they do more than that."""
    clock: Times = clock_of(charge_point, given.told_at, given.received_at, waited=given.waited)
    bound = sessions.power_bound_w(known["session_id"])
    changes, messages = readings.read(known, clock.moments(list(given.measured)), bound)
    told = [
        (message["session_id"], _reading(message), message["register_wh"], message["soc"])
        for message in messages
    ]
    if told and not sessions.take(known["cp_id"], told):
        return None
    if given.number is not None:
        changes["seen"] = transactions.with_seen(known["seen"], given.number)
        changes["told_until"] = max(known["told_until"], given.told_at)
    meters = {}
    for message in messages:
        shown = {name: message[name] for name in message if name not in ("kind", "connector_id")}
        meters[message["connector_id"]] = shown
    return changes, NewsTaken(meters, clock.changed)


def _reading(message: JsonObject) -> Reading:
    names = ("at", "energy_wh", "power_w", "current_a", "voltage_v", "phases", "limit_w")
    return Reading(**{name: message[name] for name in names})
