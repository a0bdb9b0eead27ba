"""An entry of the audit log: who did what to what, and when, by the database's clock.

    await record(tx, "peers.suspend", peer(peer_id), before={...}, after={...})

is a line of whatever changes the thing, in the transaction of the change: both are there, or
neither. Entries are never changed but for their place in the chain (chain.py), and never deleted
but from its beginning. Between a thing and its entries there is no other link than its id.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from db_interface.collection import Collection
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.audit import refusals
from domain.audit.redaction import as_json, shown
from domain.audit.refusals import RefusalWindow
from domain.operators.actor import acting_as, current_actor
from domain.trace import bound_id

DONE, REFUSED = "done", "refused"
LEFT_OUT = "audit.refusals_left_out"
_ORDER = itertools.count(1)
"""Of the entries that this process writes within one millisecond."""


class About(NamedTuple):
    """What an entry is about: its kind ("peer", "party", "charge point", ...) and its id."""

    kind: str
    id: str


class Who(TypedDict):
    kind: str
    name: str
    role: str | None


class Named(TypedDict):
    kind: str
    id: str


class AuditEntry(TypedDict, total=False):
    """A document of `audit`."""

    _id: str
    at: datetime
    who: Who
    action: str
    about: list[Named]
    ids: list[str]
    """those of `about`, folded: what entries are found by"""
    before: str | None
    """JSON of what changed as it was, secrets redacted; None: nothing is said of it"""
    after: str | None
    result: str
    why: str | None
    """of a refusal"""
    correlation_id: str | None
    unsealed: bool
    """there until it has its place in the chain"""
    seq: int
    hash: str


AUDIT: Collection[AuditEntry] = Collection("audit")


@dataclass
class Act:
    """An action that is being carried out: what its entries are called."""

    action: str
    recorded: bool = False


_ACT: ContextVar[Act | None] = ContextVar("act", default=None)


@contextlib.contextmanager
def act(action: str) -> Iterator[Act]:
    """What is recorded in the block is part of this action, and bears its name."""
    current = Act(action)
    before = _ACT.set(current)
    try:
        yield current
    finally:
        _ACT.reset(before)


async def record(
    tx: Tx,
    action: str,
    *about: About,
    before: JsonMapping | None = None,
    after: JsonMapping | None = None,
) -> None:
    """It is done, by whoever acts at present. `action`: its name, where it is no part of one
    that is being carried out."""
    current = _ACT.get()
    if current is not None:
        current.recorded = True
        action = current.action
    await _write(tx, action, about, DONE, before=before, after=after)


async def record_refusal(tx: Tx, action: str, *about: About, why: str) -> None:
    """It was asked for, and not done. One who is refused very often has no entry for each
    (refusals.py)."""
    verdict = await refusals.counted(tx)
    if verdict["over"] is not None:
        await _write_left_out(tx, verdict["over"])
    if verdict["is_written"]:
        await _write(tx, action, about, REFUSED, why=why)


async def close_refusals(tx: Tx, key: str) -> None:
    """A window of refusals has ended: an entry says how many it left out, if any."""
    window = await refusals.closed(tx, key)
    if window is not None:
        with acting_as(refusals.actor_of(window)):
            await _write_left_out(tx, window)


async def _write_left_out(tx: Tx, window: RefusalWindow) -> None:
    n = window["left_out"]
    why = f"refused {n} times more within a minute: no entry for each"
    after = {"left_out": n, "since": window["begun"]}
    await _write(tx, LEFT_OUT, (), REFUSED, after=after, why=why)


async def _write(
    tx: Tx,
    action: str,
    about: tuple[About, ...],
    result: str,
    *,
    before: JsonMapping | None = None,
    after: JsonMapping | None = None,
    why: str | None = None,
) -> None:
    actor = current_actor()
    await AUDIT.of(tx).insert_one(
        {
            "_id": f"{next(_ORDER):010x}-{uuid.uuid4().hex}",
            "at": tx.now,
            "who": {
                "kind": actor.kind.value,
                "name": str(shown(actor.name)),
                "role": None if actor.role is None else actor.role.value,
            },
            "action": action,
            "about": [{"kind": one.kind, "id": str(shown(one.id))} for one in about],
            "ids": sorted({folded(one.id) for one in about}),
            "before": as_json(before),
            "after": as_json(after),
            "result": result,
            "why": None if why is None else str(shown(why)),
            "correlation_id": bound_id("correlation_id"),
            "unsealed": True,
        }
    )


def folded(id_: str) -> str:
    """An id as entries are found by it; a party is found as NL/TNM, too."""
    return fold(str(shown(id_))).replace("/", "*")


def peer(peer_id: str) -> About:
    return About("peer", peer_id)


def party(key: str) -> About:
    """`key`: folded, or as CC/PID."""
    return About("party", key.upper().replace("*", "/"))


def charge_point(cp_id: str) -> About:
    return About("charge point", cp_id)


def session(session_id: str) -> About:
    return About("session", session_id)


def cdr(cdr_id: str) -> About:
    return About("CDR", cdr_id)


def tariff(tariff_id: str) -> About:
    return About("tariff", tariff_id)


def location(location_id: str) -> About:
    return About("location", location_id)


def operator(name: str) -> About:
    return About("operator", name)


def api_key(name: str) -> About:
    return About("API key", name)


def setting(name: str) -> About:
    return About("setting", name)
