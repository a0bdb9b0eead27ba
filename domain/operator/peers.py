"""Peers as an operator sees them: what they are, how far the push is behind, what is wrong.

Never reads a token, not even sealed or as a hash: of an invitation only when it ends.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.commands.command_queue import undelivered
from domain.operator.push_states import PushState, push_states
from domain.outbox import due_marks
from domain.peers import required_modules
from domain.peers.peer import quirks_of
from domain.peers.peer_document import PEERS
from domain.peers.statuses import BLOCKED, CONNECTED, INVITED, REGISTERED, STATUSES, SUSPENDED
from domain.peers.switches import possible_for
from domain.peers.terms import Terms

MAX_PEERS = 200
MAX_LOOKED_AT = 10_000
MAX_COUNTED = 10_000
"""A longer backlog is shown as "10 000+": counting it on every refresh would cost too much."""
MAX_HELD_BACK = 20
LATE = timedelta(minutes=1)
"""An object that a connected peer has not got for this long is trouble."""
ERROR_IS_NEWS = timedelta(hours=24)
ERROR_IS_FRESH = timedelta(minutes=15)
"""An error that is older, with a push that works, is over."""

_SHOWN = (
    "name",
    "status",
    "roles",
    "waiting",
    "versions_url",
    "version",
    "endpoints",
    "quirks",
    "settings",
    "last_seen",
    "last_error",
    "created",
    "terms",
    "token_hashes.kind",
    "token_hashes.until",
)


@dataclass(frozen=True)
class PeerRow:
    """A peer in a table, and the verdict on it: what calls for a hand (`trouble`), what does not
    (`notes`). Every page, `cpo status` and `cpo doctor` go by the same."""

    id: str
    name: str
    status: str
    roles: Sequence[JsonMapping]
    waiting: Sequence[JsonMapping]
    versions_url: str | None
    version: str | None
    endpoints: Sequence[JsonMapping]
    quirks: JsonMapping
    settings: JsonMapping
    created: datetime | None
    terms: Terms
    """Who the operator has said that it may be."""
    invited_until: datetime | None
    """While it is invited: when its token ends."""
    last_seen: datetime | None
    last_error: JsonMapping | None
    push: PushState
    alarms: list[str]
    """What calls for a hand, a sentence each, but for `lost_results`."""
    lost_results: int
    """of its commands, that it did not take within the last 24 hours"""
    notes: list[str]
    """What the operator has done himself, and what is over."""
    recovered: bool
    """It had an error lately, and has none now."""
    actions: list[str]
    """Names of the switches (domain/peers/switches.py) that are possible now."""

    @property
    def trouble(self) -> list[str]:
        if not self.lost_results:
            return self.alarms
        results = "result" if self.lost_results == 1 else "results"
        lost = f"{self.lost_results} {results} of its commands not delivered in the last 24 hours"
        return [*self.alarms, lost]


async def counts(db: Database) -> dict[str, int]:
    """How many peers are in which status."""
    return {status: await PEERS.of(db).count({"status": status}) for status in STATUSES}


async def known_ids(db: Database) -> frozenset[str]:
    """The ids of all that are invited or registered."""
    known = {"status": {"$in": [INVITED, *REGISTERED]}}
    rows = await PEERS.of(db).find(known, {"_id": 1}, limit=MAX_COUNTED)
    return frozenset(row["_id"] for row in rows)


async def table(
    db: Database,
    now: datetime,
    *,
    statuses: Collection[str] = STATUSES,
    limit: int = MAX_PEERS,
) -> list[PeerRow]:
    """All peers (or those of some statuses) by name, at most `limit`."""
    wanted = {} if {*statuses} == {*STATUSES} else {"status": {"$in": [*statuses]}}
    lost = await undelivered(db, now - ERROR_IS_NEWS)
    return [
        _row(peer, push, now, lost.get(peer["_id"], 0))
        for peer, push in await push_states(
            db, wanted, _SHOWN, sort="name", limit=limit, max_counted=MAX_COUNTED
        )
    ]


async def one(
    db: Database, peer_id: str, now: datetime
) -> tuple[PeerRow, list[due_marks.HeldBack]] | None:
    """A peer, and the objects that it has not taken; None: unknown."""
    found = await push_states(db, {"_id": peer_id}, _SHOWN, limit=1, max_counted=MAX_COUNTED)
    if not found:
        return None
    lost = await undelivered(db, now - ERROR_IS_NEWS)
    return _row(*found[0], now, lost.get(peer_id, 0)), await due_marks.held_back(
        db, peer_id, MAX_HELD_BACK
    )


def _row(peer: JsonMapping, push: PushState, now: datetime, lost_results: int) -> PeerRow:
    return PeerRow(
        id=peer["_id"],
        name=peer["name"],
        status=peer["status"],
        roles=peer.get("roles") or [],
        waiting=peer.get("waiting") or [],
        versions_url=peer.get("versions_url"),
        version=peer.get("version"),
        endpoints=peer.get("endpoints") or [],
        quirks=quirks_of(peer),
        settings=peer.get("settings") or {},
        created=peer.get("created"),
        terms=Terms.of(peer.get("terms")),
        invited_until=_invited_until(peer),
        last_seen=peer.get("last_seen"),
        last_error=peer.get("last_error"),
        push=push,
        alarms=(alarms := _alarms(peer, push, now)),
        lost_results=lost_results,
        notes=_notes(peer, now),
        recovered=not alarms and _had_error(peer, now),
        actions=possible_for(peer),
    )


def _invited_until(peer: JsonMapping) -> datetime | None:
    tokens = peer.get("token_hashes") or ()
    ends = [one["until"] for one in tokens if one.get("kind") == "A" and "until" in one]
    return max(ends, default=None) if peer["status"] == INVITED else None


async def behind(db: Database, now: datetime) -> list[tuple[str, str, str]]:
    """(id, name, why) of the connected peers that do not take what is pushed."""
    found = await push_states(
        db, {"status": CONNECTED}, ("name",), sort="_id", limit=MAX_LOOKED_AT, max_counted=0
    )
    said = [(peer, _behind(CONNECTED, push, now)) for peer, push in found]
    return [(peer["_id"], peer["name"], "; ".join(why)) for peer, why in said if why]


def _behind(status: str, push: PushState, now: datetime) -> list[str]:
    said = []
    if push.failures:
        said.append(f"push fails: {push.reason or 'no reason known'}")
    if status == CONNECTED and push.oldest and now - push.oldest > LATE:
        minutes = int((now - push.oldest).total_seconds() // 60)
        said.append(f"push is {minutes} min behind")
    return said


async def lost_results(db: Database, now: datetime) -> dict[str, int]:
    """By peer, results of its commands that it did not take, of the last 24 hours."""
    return await undelivered(db, now - ERROR_IS_NEWS)


def _alarms(peer: JsonMapping, push: PushState, now: datetime) -> list[str]:
    said = _behind(peer["status"], push, now)
    if _has_error(peer, now) and not _is_that(peer["last_error"]["text"], push):
        said.append(peer["last_error"]["text"])
    return said + _lacking(peer)


def _is_that(error: str, push: PushState) -> bool:
    """Whether the error is why the push fails, which is said already."""
    return bool(push.failures) and error == f"push: {push.reason}"


def _lacking(peer: JsonMapping) -> list[str]:
    if peer["status"] not in REGISTERED:
        return []
    required = required_modules.modules_required_of(peer)
    lacking = required_modules.missing(required, peer.get("endpoints") or ())
    return [f"does not offer {', '.join(lacking)}, which you require"] if lacking else []


def _notes(peer: JsonMapping, now: datetime) -> list[str]:
    said: list[str] = []
    if peer["status"] == BLOCKED:
        said.append("blocked: its requests are refused")
    if peer["status"] == SUSPENDED:
        said.append("suspended: nothing is pushed to it")
    if _had_error(peer, now) and not _has_error(peer, now):
        error = peer["last_error"]
        said.append(f"over: {error['text']} ({error['at']:%H:%M} UTC)")
    return said


def _has_error(peer: JsonMapping, now: datetime) -> bool:
    error = peer.get("last_error")
    return error is not None and now - error["at"] < ERROR_IS_FRESH


def _had_error(peer: JsonMapping, now: datetime) -> bool:
    error = peer.get("last_error")
    return error is not None and now - error["at"] < ERROR_IS_NEWS
