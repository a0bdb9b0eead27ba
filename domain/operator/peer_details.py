"""What one peer's page shows beside its facts: what waits for it by module, what happened to it,
which modules it offers, and how its CDRs arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from domain.audit import listing as audit_log
from domain.exchanges import listing as exchange_log
from domain.exchanges.exchange import Outcome
from domain.exchanges.search_keys import Wanted
from domain.operator.peer_events import Event, of_exchange, of_log
from domain.outbox.marks import MARKS
from domain.peers import required_modules
from domain.reconciliation.cdr_arrivals import RESULTS

MAX_COUNTED = 2_000
"""Of what waits, the oldest so many are counted by module: the page is looked at every moment."""
SHOWN_EXCHANGES = 8
SHOWN_EVENTS = 15
_REFUSED = Outcome.REFUSED.value
_REFUSALS_MATTER = ("credentials", "cdrs", "tokens", "commands")
"""Of the other modules a refusal is routine: a PATCH of what the peer does not know is followed by
all of it."""

_FOR: Mapping[str, str] = {
    "credentials:SENDER": "handshake, exchange of tokens",
    "credentials:RECEIVER": "handshake, exchange of tokens",
    "locations:RECEIVER": "we send locations and their status",
    "sessions:RECEIVER": "we send sessions of its drivers",
    "cdrs:RECEIVER": "we send CDRs of its drivers",
    "tariffs:RECEIVER": "we send tariffs",
    "tokens:SENDER": "we fetch its cards, and ask about them",
    "commands:SENDER": "we tell results of its commands",
    "chargingprofiles:SENDER": "we tell results of its charging profiles",
    "hubclientinfo:SENDER": "we fetch who is behind the hub",
    "hubclientinfo:RECEIVER": "we could tell who is behind us",
    "payments:SENDER": "we fetch payment terminals",
    "payments:RECEIVER": "we could send payments",
    "locations:SENDER": "it has locations of its own; we do not fetch them",
    "tariffs:SENDER": "it has tariffs of its own; we do not fetch them",
    "sessions:SENDER": "it has sessions of its own; we do not fetch them",
    "cdrs:SENDER": "it has CDRs of its own; we do not fetch them",
    "tokens:RECEIVER": "it takes tokens; we have none to send",
    "commands:RECEIVER": "it takes commands; we send none",
    "chargingprofiles:RECEIVER": "it takes charging profiles; we send none",
}


@dataclass(frozen=True)
class Waiting:
    module: str
    number: int
    since: datetime


@dataclass(frozen=True)
class Module:
    """`expected`: the operator requires it; `url` None: the peer does not offer it."""

    name: str
    role: str
    url: str | None
    used_for: str
    expected: bool


@dataclass(frozen=True)
class Details:
    waiting: Sequence[Waiting]
    counted_all: bool
    """False: more waits than was counted."""
    exchanges: Sequence[JsonMapping]
    events: Sequence[Event]
    cdrs: JsonMapping | None
    """The latest reconciliation, as cdr_arrivals.Arrivals.fields has it, and `at`; None: none."""


async def details_of(db: Database, peer_id: str, *, exchanges: bool) -> Details:
    """`exchanges`: what was exchanged is for whoever looks, too."""
    events_of = SHOWN_EVENTS if exchanges else 0
    wrong = [Wanted(peer_id=peer_id, status=Outcome.FAILED.value)]
    wrong += [Wanted(peer_id=peer_id, status=_REFUSED, module=name) for name in _REFUSALS_MATTER]
    waiting, latest, failed, log, cdrs = await asyncio.gather(
        _waiting(db, peer_id),
        _exchanges(db, [Wanted(peer_id=peer_id)], SHOWN_EXCHANGES if exchanges else 0),
        _exchanges(db, wrong, events_of),
        audit_log.listed(db, about=peer_id, limit=SHOWN_EVENTS),
        RESULTS.of(db).find_one({"_id": peer_id}),
    )
    events = [*map(of_log, log[0]), *map(of_exchange, failed)]
    return Details(
        waiting=waiting,
        counted_all=sum(one.number for one in waiting) < MAX_COUNTED,
        exchanges=latest,
        events=sorted(events, key=lambda event: event.at, reverse=True)[:SHOWN_EVENTS],
        cdrs=None if cdrs is None else {**cdrs["result"], "at": cdrs["at"]},
    )


def modules_of(endpoints: Sequence[JsonMapping], settings: JsonMapping) -> list[Module]:
    """Those that it offers, and those that the operator expects and it lacks."""
    expected = required_modules.modules_required_of({"settings": settings})
    rows = [
        Module(
            name=row["identifier"],
            role=row["role"],
            url=row["url"],
            used_for=_FOR.get(f"{row['identifier']}:{row['role']}", ""),
            expected=bool({row["identifier"], f"{row['identifier']}:{row['role']}"} & {*expected}),
        )
        for row in endpoints
    ]
    for lacking in required_modules.missing(expected, endpoints):
        name, _, role = lacking.partition(":")
        rows.append(Module(name, role, None, _FOR.get(lacking, ""), expected=True))
    return sorted(rows, key=lambda row: (row.name, row.role))


async def _waiting(db: Database, peer_id: str) -> list[Waiting]:
    stages: list[JsonObject] = [
        {"$match": {"peer_id": peer_id}},
        {"$sort": {"since": 1}},
        {"$limit": MAX_COUNTED},
        {"$group": {"_id": "$module", "number": {"$sum": 1}, "since": {"$min": "$since"}}},
    ]
    rows = await MARKS.of(db).aggregate(stages)
    found = [Waiting(row["_id"], row["number"], row["since"]) for row in rows]
    return sorted(found, key=lambda one: one.since)


async def _exchanges(db: Database, wanted: Sequence[Wanted], limit: int) -> list[JsonObject]:
    """The latest of each."""
    if not limit:
        return []
    found = await asyncio.gather(*(exchange_log.listed(db, one, limit=limit) for one in wanted))
    return [row for rows, _ in found for row in rows]
