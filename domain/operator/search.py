"""Finding anything by what somebody has at hand: an id, a card, a name, the beginning of one.

Each question finds an index and brings a few rows, all at once; what begins so is asked for only
where nothing is it exactly. Of a card the whole number finds it, and no part of it: who may see
only its last characters could find out the others one by one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from db_interface.database import Database
from db_interface.indexes import BY_NAME
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedDocument, OwnedObjects, fold
from domain.charge_points.registration_store import REGISTRATIONS
from domain.commands.command_queue import COMMANDS
from domain.exchanges.exchange import EXCHANGES
from domain.exchanges.search_keys import folded
from domain.ocpp.stations import STATIONS
from domain.operator.lists.locations import begins
from domain.operator.shortened import shortened
from domain.peers.peer_document import PEERS
from domain.reservations.reservations import RESERVATIONS
from domain.sessions.session_records import SESSIONS

MAX_LENGTH = 100
MAX_HITS = 10
"""Of each kind; whether there are more is said."""


@dataclass(frozen=True)
class Hit:
    """`kind`: "charge point", "EVSE", ...; `id`: what its page is found by; `said`: what is known
    of it, in a few words; `key`: of an OCPI object."""

    kind: str
    id: str
    said: str = ""
    key: str | None = None


@dataclass(frozen=True)
class Found:
    """`exact`: what has that very id, card or name; else what begins so, by kind. `more`: kinds of
    which there are more than are shown."""

    hits: Sequence[Hit]
    exact: bool
    more: Sequence[str] = ()

    def by_kind(self) -> dict[str, list[Hit]]:
        kinds: dict[str, list[Hit]] = {}
        for hit in self.hits:
            kinds.setdefault(hit.kind, []).append(hit)
        return kinds


async def search(db: Database, said: str, *, exchanges: bool = False) -> Found:
    """`exchanges`: whether those with peers are looked at, too, which are for operators."""
    wanted = said.strip()
    if not wanted or len(wanted) > MAX_LENGTH or not wanted.isprintable():
        return Found((), exact=False)
    exact = await _of_all(
        one(db, wanted) for one in (*_EXACT, *((_exchanges,) if exchanges else ()))
    )
    if exact:
        return _found(_meant(exact), exact=True)
    return _found(await _of_all(one(db, wanted) for one in _BEGINNING), exact=False)


def _meant(hits: Sequence[Hit]) -> list[Hit]:
    """A location that is called as its only charge point is found by it."""
    charge_points = [fold(hit.id) for hit in hits if hit.kind == "charge point"]
    return [hit for hit in hits if hit.kind != "location" or fold(hit.id) not in charge_points]


def _found(hits: Sequence[Hit], *, exact: bool) -> Found:
    shown: list[Hit] = []
    more: list[str] = []
    for kind in dict.fromkeys(hit.kind for hit in hits):
        rows = list(dict.fromkeys(hit for hit in hits if hit.kind == kind))
        shown += rows[:MAX_HITS]
        if len(rows) > MAX_HITS:
            more.append(kind)
    return Found(shown, exact, more)


async def _of_all(questions: Iterable[Awaitable[list[Hit]]]) -> list[Hit]:
    return [hit for hits in await asyncio.gather(*questions) for hit in hits]


# ---- What has that very id.


async def _charge_point(db: Database, said: str) -> list[Hit]:
    return await _registrations(db, {"folded_id": fold(said)})


async def _station(db: Database, said: str) -> list[Hit]:
    """Its first EVSE bears its name: the charge point stands for it."""
    rows = await STATIONS.of(db).find({"folded_id": fold(said)}, {"evses.cp_id": 1}, limit=1)
    return [
        Hit("station", row["_id"])
        for row in rows
        if row["_id"] not in [evse["cp_id"] for evse in row.get("evses", ())]
    ]


async def _evse(db: Database, said: str) -> list[Hit]:
    """By its uid, or its id in eMI3 form; one that is called as its charge point is that."""
    query = {"$or": [{"links.evse": said.lower()}, {"links.evse_id": said.upper()}]}
    rows = await _objects(
        db, "locations", query, "id", "name", "city", "evses.uid", "evses.evse_id"
    )
    hits = []
    for row in rows:
        for evse in row["fields"].get("evses") or ():
            uid, evse_id = evse["uid"], evse.get("evse_id")
            if evse_id == said.upper():
                hits.append(Hit("EVSE", uid, f"{evse_id}, {_place(row)}", row["_id"]))
            elif uid.lower() == said.lower() and not await _charge_point(db, uid):
                hits.append(Hit("EVSE", uid, _place(row), row["_id"]))
    return hits


async def _session(db: Database, said: str) -> list[Hit]:
    ids = list(dict.fromkeys((said, said.lower(), said.upper())))
    return await _sessions(db, {"_id": {"$in": ids}})


async def _command(db: Database, said: str) -> list[Hit]:
    rows = await COMMANDS.of(db).find({"_id": said.lower()}, {"kind": 1, "cp_id": 1}, limit=1)
    return [Hit("command", row["_id"], _words(row["kind"], row.get("cp_id"))) for row in rows]


async def _reservation(db: Database, said: str) -> list[Hit]:
    rows = await RESERVATIONS.of(db).find({"_id": said}, {"cp_id": 1, "status": 1}, limit=1)
    return [Hit("reservation", row["cp_id"], _words(row["_id"], row["status"])) for row in rows]


async def _peer(db: Database, said: str) -> list[Hit]:
    return await _peers(db, {"$or": [{"_id": said}, {"name": said}]})


async def _card(db: Database, said: str) -> list[Hit]:
    query = {
        "$or": [
            {"lid": said.lower()},
            {"fields.contract_id": {"$in": [said, said.upper()]}},
            {"fields.visual_number": said},
        ]
    }
    return await _cards(db, query)


async def _exchanges(db: Database, said: str) -> list[Hit]:
    """A correlation or request id. Whether the exchanges are many is nothing to count."""
    found = await EXCHANGES.of(db).find(
        {"keys": folded(said), "$or": [{"correlation_id": said}, {"request_id": said}]},
        {"_id": 1},
        limit=1,
    )
    return [Hit("exchanges", said) for _ in found]


def _object_of(module: str, kind: str) -> Callable[[Database, str], Awaitable[list[Hit]]]:
    async def ask(db: Database, said: str) -> list[Hit]:
        return await _hits_of(db, module, kind, {"lid": said.lower()})

    return ask


# ---- What begins so.


async def _charge_points_beginning(db: Database, said: str) -> list[Hit]:
    by_id, by_place = await asyncio.gather(
        _registrations(db, {"folded_id": _beginning(fold(said))}),
        _registrations(db, {"location": begins(said)}, by_name=True),
    )
    return by_id + by_place


async def _sessions_beginning(db: Database, said: str) -> list[Hit]:
    return await _sessions(db, {"_id": _beginning(said.lower())}) if len(said) > 2 else []


async def _peers_beginning(db: Database, said: str) -> list[Hit]:
    return await _peers(db, {"name": begins(said)}, by_name=True)


async def _contracts_beginning(db: Database, said: str) -> list[Hit]:
    if len(said) < 3:
        return []
    return await _cards(db, {"fields.contract_id": _beginning(said.upper())})


async def _locations_named(db: Database, said: str) -> list[Hit]:
    found = await _of_all(
        _hits_of(db, "locations", "location", {field: begins(said)}, by_name=True)
        for field in ("fields.name", "fields.city", "fields.address")
    )
    return list(dict.fromkeys(found))


async def _evses_beginning(db: Database, said: str) -> list[Hit]:
    """By the id in eMI3 form, which is written in capitals."""
    begun = said.upper()
    query = {"links.evse_id": _beginning(begun)}
    rows = await _objects(
        db, "locations", query, "id", "name", "city", "evses.uid", "evses.evse_id"
    )
    return [
        Hit("EVSE", evse["uid"], f"{evse['evse_id']}, {_place(row)}", row["_id"])
        for row in rows
        for evse in row["fields"].get("evses") or ()
        if evse.get("evse_id", "").upper().startswith(begun)
    ]


def _objects_beginning(module: str, kind: str) -> Callable[[Database, str], Awaitable[list[Hit]]]:
    async def ask(db: Database, said: str) -> list[Hit]:
        return await _hits_of(db, module, kind, {"lid": _beginning(said.lower())})

    return ask


# ---- Rows.


async def _registrations(db: Database, query: JsonMapping, *, by_name: bool = False) -> list[Hit]:
    rows = await REGISTRATIONS.of(db).find(
        query, {"location": 1}, limit=MAX_HITS + 1, collation=BY_NAME if by_name else None
    )
    return [Hit("charge point", row["_id"], row.get("location") or "") for row in rows]


async def _sessions(db: Database, query: JsonMapping) -> list[Hit]:
    rows = await SESSIONS.of(db).find(
        query, {"cp_id": 1, "status": 1, "created": 1}, limit=MAX_HITS + 1
    )
    return [Hit("session", row["_id"], _words(row["status"], row.get("cp_id"))) for row in rows]


async def _peers(db: Database, query: JsonMapping, *, by_name: bool = False) -> list[Hit]:
    rows = await PEERS.of(db).find(
        query,
        {"name": 1, "status": 1},
        limit=MAX_HITS + 1,
        collation=BY_NAME if by_name else None,
    )
    return [Hit("peer", row["_id"], _words(row["name"], row["status"])) for row in rows]


async def _cards(db: Database, query: JsonMapping) -> list[Hit]:
    rows = await _objects(
        db, "tokens", query, "uid", "contract_id", "country_code", "party_id", "type"
    )
    return [
        Hit(
            "card",
            row["fields"].get("contract_id") or "",
            _words(
                shortened(row["fields"].get("uid")),
                row["fields"].get("type"),
                f"{row['fields']['country_code']}/{row['fields']['party_id']}",
            ),
        )
        for row in rows
    ]


async def _hits_of(
    db: Database, module: str, kind: str, query: JsonMapping, *, by_name: bool = False
) -> list[Hit]:
    names = ("id", "name", "city", "currency", "session_id", "cdr_location.evse_uid", "credit")
    rows = await _objects(db, module, query, *names, by_name=by_name)
    return [Hit(kind, row["fields"]["id"], _said_of(kind, row), row["_id"]) for row in rows]


def _said_of(kind: str, row: OwnedDocument) -> str:
    fields: JsonObject = dict(row["fields"])
    if kind == "location":
        return _words(fields.get("name"), fields.get("city"))
    if kind == "CDR":
        credit = "credit" if fields.get("credit") else None
        return _words(credit, (fields.get("cdr_location") or {}).get("evse_uid"))
    return _words(fields.get("currency"))


async def _objects(
    db: Database, module: str, query: JsonMapping, *names: str, by_name: bool = False
) -> list[OwnedDocument]:
    return (
        await OwnedObjects(db, module)
        .of(db)
        .find(
            query,
            {f"fields.{name}": 1 for name in names},
            limit=MAX_HITS + 1,
            collation=BY_NAME if by_name else None,
        )
    )


def _place(row: OwnedDocument) -> str:
    return _words(row["fields"].get("name") or row["fields"]["id"], row["fields"].get("city"))


def _words(*words: object) -> str:
    return ", ".join(str(word) for word in words if word)


def _beginning(said: str) -> JsonObject:
    return {"$regex": f"^{re.escape(said)}"}


_EXACT = (
    _charge_point,
    _station,
    _evse,
    _session,
    _object_of("cdrs", "CDR"),
    _object_of("locations", "location"),
    _object_of("tariffs", "tariff"),
    _card,
    _peer,
    _command,
    _reservation,
)
_BEGINNING = (
    _charge_points_beginning,
    _evses_beginning,
    _objects_beginning("locations", "location"),
    _locations_named,
    _sessions_beginning,
    _objects_beginning("cdrs", "CDR"),
    _objects_beginning("tariffs", "tariff"),
    _contracts_beginning,
    _peers_beginning,
)
