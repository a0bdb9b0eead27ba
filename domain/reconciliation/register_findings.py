"""Registers against sessions and CDRs, of all connectors: found in one pass, kept until resolved.

A finding stays until a later pass over its time does not find it any more: a CDR was corrected,
or news of a session closed the gap. Reads sessions in the order of an index, connector by
connector, and writes only what has changed.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from db_interface.bulk import upsert_each
from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObjects
from domain.reconciliation.register_chain import Difference, Link, differences
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_states import FINAL, Status

_BATCH = 500


class RegisterFinding(TypedDict, total=False):
    """A document of `register_findings`."""

    _id: str
    """ "link/session id" between it and the one before, "bill/session id" of itself"""
    kind: str
    """register_chain.Kind"""
    cp_id: str
    connector_id: str
    session_id: str
    previous_id: str | None
    energy_wh: float
    at: datetime
    """when its session was opened"""
    found: datetime
    """when it was found first"""
    run: str
    """of the pass that saw it last"""


FINDINGS: Collection[RegisterFinding] = Collection("register_findings")


@dataclass(frozen=True)
class RegisterReport:
    """What a pass over the sessions created in `since` <= moment < `until` has found."""

    since: datetime
    until: datetime
    sessions: int
    without_reading: int
    """Sessions whose charge point told no register: they are no part of a chain."""
    findings: Sequence[Difference]


async def reconcile_registers(
    db: Database, since: datetime, until: datetime, *, cp_id: str | None = None
) -> RegisterReport:
    """Follow every connector's chain (those of one charge point, if named) and keep what does not
    add up."""
    run = uuid.uuid4().hex
    found: list[Difference] = []
    sessions = without = 0
    async for chain in _chains(db, since, until, cp_id):
        sessions += len(chain)
        links = await _links(db, chain)
        without += len(chain) - len(links)
        if links:
            previous = await _previous(db, chain[0])
            found += differences(links, previous=previous)
    await _keep(db, found, run)
    gone: JsonObject = {"at": {"$gte": since, "$lt": until}, "run": {"$ne": run}}
    if cp_id is not None:
        gone["cp_id"] = cp_id
    await FINDINGS.of(db).delete_many(gone)
    return RegisterReport(since, until, sessions, without, found)


async def _chains(
    db: Database, since: datetime, until: datetime, cp_id: str | None
) -> AsyncIterator[list[ChargingSession]]:
    """The sessions of a connector after those of another, in order of creation."""
    match: JsonObject = {"created": {"$gte": since, "$lt": until}}
    if cp_id is not None:
        match["cp_id"] = cp_id
    order = [("cp_id", 1), ("connector_id", 1), ("created", 1)]
    chain: list[ChargingSession] = []
    async for session in SESSIONS.of(db).stream(match, _WANTED, sort=order):
        if chain and _connector(chain[0]) != _connector(session):
            yield chain
            chain = []
        chain.append(session)
    if chain:
        yield chain


async def _links(db: Database, chain: Sequence[ChargingSession]) -> list[Link]:
    links: list[Link] = []
    for first in range(0, len(chain), _BATCH):
        part = chain[first : first + _BATCH]
        billed = await _billed(db, [session["_id"] for session in part])
        links += [link for session in part if (link := _link(session, billed)) is not None]
    return links


async def _billed(db: Database, session_ids: Sequence[str]) -> Mapping[str, float]:
    """Wh on the CDRs of each session that has any; what a credit takes back is taken off."""
    rows = await OwnedObjects(db, "cdrs").documents(
        {"links.session": {"$in": [id_.lower() for id_ in session_ids]}},
        fields={"fields.session_id": 1, "fields.total_energy": 1, "fields.credit": 1},
    )
    sums: dict[str, Decimal] = {}
    for row in rows:
        cdr = row["fields"]
        energy = Decimal(str(cdr["total_energy"])) * (-1 if cdr.get("credit") else 1)
        session_id = cdr["session_id"].lower()
        sums[session_id] = sums.get(session_id, Decimal(0)) + energy
    return {session_id: float(kwh * 1000) for session_id, kwh in sums.items()}


async def _previous(db: Database, first: ChargingSession) -> Link | None:
    """The link before the first of a chain that was read from a moment on."""
    rows = await SESSIONS.of(db).find(
        {
            "cp_id": first["cp_id"],
            "connector_id": first["connector_id"],
            "created": {"$lt": first["created"]},
            "register_start_wh": {"$type": "number"},
        },
        _WANTED,
        sort=[("created", -1)],
        limit=1,
    )
    return _link(rows[0], {}) if rows else None


def _link(session: ChargingSession, billed: Mapping[str, float]) -> Link | None:
    start_wh, started = session.get("register_start_wh"), session.get("started")
    if start_wh is None or started is None:
        return None
    end_wh = session.get("register_end_wh")
    return Link(
        session_id=session["_id"],
        cp_id=session["cp_id"],
        connector_id=session["connector_id"],
        created=session["created"],
        started=started,
        ended=Status(session["status"]) in FINAL,
        start_wh=start_wh,
        end_wh=start_wh + session["energy_wh"] if end_wh is None else end_wh,
        meter_id=session.get("meter_id"),
        billed_wh=billed.get(session["_id"].lower()),
    )


async def _keep(db: Database, found: Sequence[Difference], run: str) -> None:
    now = db.now()
    for first in range(0, len(found), _BATCH):
        updates: list[tuple[str, JsonMapping]] = []
        for one in found[first : first + _BATCH]:
            fields = {
                "kind": one.kind.value,
                "cp_id": one.cp_id,
                "connector_id": one.connector_id,
                "session_id": one.session_id,
                "previous_id": one.previous_id,
                "energy_wh": one.energy_wh,
                "at": one.at,
                "run": run,
            }
            updates.append((one.key, {"$set": fields, "$setOnInsert": {"found": now}}))
        await upsert_each(FINDINGS.of(db), updates)


def _connector(session: ChargingSession) -> tuple[str, str]:
    return session["cp_id"], session["connector_id"]


_WANTED = dict.fromkeys(
    (
        "cp_id",
        "connector_id",
        "created",
        "started",
        "status",
        "energy_wh",
        "register_start_wh",
        "register_end_wh",
        "meter_id",
    ),
    1,
)
