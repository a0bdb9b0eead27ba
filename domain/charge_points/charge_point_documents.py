"""The collection `charge_points`: the shape of its documents, and reading them.

The facts are changed by events (charge_point_events.py); nothing but charge_points.py writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from domain.charge_points.engine_clocks import EngineClock

Reading = Mapping[str, object]
"""A connector's last meter value as its engine reported it, but for `kind` and `connector_id`."""


class Fault(TypedDict):
    code: str
    message: str


class Boot(TypedDict):
    boot_id: str
    seq: int


class Connector(TypedDict, total=False):
    """What the engine reported of a connector last; `meter` is there once it has metered."""

    id: str
    state: str
    ev_state: str
    error_code: str | None
    session_id: str | None
    at: datetime
    meter: Reading


class ChargePoint(TypedDict, total=False):
    """A document of `charge_points`; what nothing was heard of yet is not there."""

    _id: str
    """cp_id, case as registered"""
    host: str
    port: int
    """where its engine takes commands"""
    engine_fingerprint: str | None
    """SHA-256 of the certificate that its engine has to show; None: it speaks plain HTTP"""
    command_key: bytes
    """sealed: what Central presents to the engine"""
    registered_at: datetime
    """when its monitor registered at Central last"""
    presence: str
    """evse_states.Presence"""
    last_seen: datetime
    """last sign of life of the monitor that is known here; later ones: signs_of_life.py"""
    heartbeat_interval_s: float
    silence_s: float
    heartbeat_due: datetime | None
    """look for signs of life once this (= last_seen + silence_s) has passed; None while silent or
    never seen"""
    engine_state: str | None
    faults: list[Fault]
    """as the monitor reports them"""
    operative: bool
    """False: taken out of service by the operator"""
    operative_told: bool | None
    """what the engine last accepted of that; None: not told since it started"""
    connectors: list[Connector]
    reservation_id: str | None
    session_id: str | None
    """what Central knows to hold the EVSE, or None"""
    boots: list[Boot]
    """newest last: up to where telemetry was taken"""
    boot_id: str
    acked_seq: int
    """the newest of them"""
    telemetry_at: datetime
    clock: EngineClock
    """how far its engine's clock is off, where the engine tells when it sends"""

    state: str
    """derived: evse_states.View, Central's own state"""
    ocpi_status: str
    """derived: evse_states.EvseStatus"""
    status_updated: datetime
    """derived: when it last changed"""
    status_n: int
    """derived: how many entries its history has"""
    told_at: datetime
    """derived: when anything changed that others are told of it (told_state.py)"""


CHARGE_POINTS: Collection[ChargePoint] = Collection("charge_points")


async def get(where: Where, cp_id: str) -> ChargePoint | None:
    """The document of a charge point, by its id as EV_Registry has it; None: never heard of."""
    return await CHARGE_POINTS.of(where).find_one({"_id": cp_id})


async def statuses_of(where: Where, cp_ids: Sequence[str]) -> dict[str, str]:
    """OCPI status by cp_id; a charge point that EV_Central never saw is not in it."""
    if len(cp_ids) == 1:
        one = await get(where, cp_ids[0])  # a transaction that changes it has it at hand
        found = [] if one is None else [one]
    else:
        found = await some(where, cp_ids, ["ocpi_status"])
    return {row["_id"]: row["ocpi_status"] for row in found if row.get("ocpi_status")}


async def some(
    where: Where, cp_ids: Sequence[str], fields: Iterable[str] | None = None
) -> list[ChargePoint]:
    """Of those of the charge points that EV_Central saw, the fields (None: all)."""
    wanted = None if fields is None else dict.fromkeys(fields, 1)
    return await CHARGE_POINTS.of(where).find({"_id": {"$in": list(cp_ids)}}, wanted)
