"""What the store says of everything at one moment, in numbers: for monitoring."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from db_interface.database import Database
from domain.charge_points import dead_letters, unaccounted_energy
from domain.commands.command_queue import undelivered
from domain.operator import charge_points, money, peers, sessions, stations
from domain.operator.event_states import EventState, event_state
from domain.operator.money import MoneyCounts
from domain.operator.push_states import PushState, push_states
from domain.operator.reconciliation import KindTotal, cdrs_to_look_at, register_totals
from domain.peers.statuses import MARKED_FOR

MAX_PEERS = 1000


@dataclass(frozen=True)
class PeerPush:
    peer_id: str
    name: str
    push: PushState


@dataclass(frozen=True)
class Snapshot:
    charge_points: Mapping[str, int]
    registrations: int
    held_back: int
    sessions_running: int
    power_w: float
    sessions_without_cdr: int
    money: MoneyCounts
    """What needs a look."""
    dead_letters: Mapping[str, int]
    """Telemetry that was not taken: failed, refused."""
    lost_results: Mapping[str, int]
    """By peer id: results of its commands that it did not take, of the last 24 hours."""
    unaccounted: int
    """Charge points at which energy flows without a session that is known."""
    signatures: Mapping[str, int]
    """Sessions with signed meter data, by what came of the check."""
    cdrs_to_look_at: Mapping[str, int]
    """By peer, CDRs that have not arrived as they should, says its latest reconciliation."""
    register_findings: tuple[KindTotal, ...]
    """What does not add up between registers, sessions and CDRs."""
    stations: Mapping[str, int]
    """OCPP stations: connected, not connected, held until they are added."""
    peers: Mapping[str, int]
    known_peers: frozenset[str]
    """The ids of all that are invited or registered."""
    events: EventState | None
    """To Kafka; None: none are kept."""
    pushes: tuple[PeerPush, ...]
    """To connected and suspended peers, the first MAX_PEERS."""


async def snapshot(db: Database) -> Snapshot:
    """Ask the store; every figure is a count or a look-up in an index."""
    (
        (points, by_status, signed, findings, not_arrived, boxes),
        numbers,
        pushes,
        lost,
    ) = await asyncio.gather(
        asyncio.gather(
            charge_points.counts(db),
            peers.counts(db),
            sessions.signatures(db),
            register_totals(db),
            cdrs_to_look_at(db),
            stations.counts(db),
        ),
        asyncio.gather(
            charge_points.number_registered(db),
            charge_points.number_held_back(db),
            sessions.number_running(db),
            sessions.number_without_cdr(db),
            unaccounted_energy.number(db),
            sessions.power_w(db),
        ),
        push_states(db, {"status": {"$in": list(MARKED_FOR)}}, ("name",), limit=MAX_PEERS),
        undelivered(db, db.now() - peers.ERROR_IS_NEWS),
    )
    registered, held_back, running, without_cdr, unaccounted, power_w = numbers
    return Snapshot(
        charge_points=points,
        registrations=registered,
        held_back=held_back,
        sessions_running=running,
        power_w=power_w,
        sessions_without_cdr=without_cdr,
        money=await money.counts(db),
        events=await event_state(db),
        dead_letters=await dead_letters.counts(db),
        register_findings=tuple(findings),
        lost_results=lost,
        cdrs_to_look_at=not_arrived,
        unaccounted=unaccounted,
        signatures=signed,
        stations=boxes,
        peers=by_status,
        known_peers=await peers.known_ids(db),
        pushes=tuple(PeerPush(row["_id"], row["name"], push) for row, push in pushes),
    )
