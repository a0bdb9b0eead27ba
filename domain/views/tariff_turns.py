"""Tariffs that become valid or end, or are changed, and the Locations that name them: made anew in
the versions that show but what applies now, and told to all who see them.

Nothing is written at such a moment, so a worker looks for them: for the dates between its last look
and this one, and for what was written since. Peers that pull by date come upon what has turned by
its new `last_updated`, peers of these versions are pushed it whole, and all that it is no more.

A transaction that chose by how things were before meets ours over the same Location, and is done
again; one that has not committed when we look has a stamp of at most OVERLAP ago.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from db_interface.collection import Collection
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.lease import Lease
from db_interface.owned_objects import EVERYBODY, OwnedDocument
from db_interface.transaction import Tx
from db_interface.views import UNSAID
from domain.outbox.marks import mark_opened, offers, reader_of
from domain.outbox.opening import renew
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.statuses import MARKED_FOR
from domain.rendered import Rendered
from domain.rounds import Rounds
from domain.times import format_datetime, parse_datetime
from domain.versions import VERSIONS, OcpiVersion
from domain.views.in_use import in_use
from domain.views.making import kept, view_of
from domain.visibility import GUESTS, visible

logger = logging.getLogger("cpo.ocpi")

PAUSE_S = 5.0
LEASE_S = 60.0
OVERLAP = timedelta(seconds=65)
"""MongoDB ends transactions after a minute: what bears an older stamp is committed by then."""
_AT_ONCE = 100
_SLACK = timedelta(seconds=2)
"""Dates are compared as text by MongoDB, exactly by us."""


class Seen(TypedDict):
    key: str
    at: datetime
    """its last_updated"""


class Gone(TypedDict):
    """A tariff that was removed."""

    key: str
    owner: str
    tariff_id: str


class TariffTurn(TypedDict, total=False):
    """A document of `tariff_turns`: up to when turns have been seen to, for a view."""

    _id: str
    """the view's name"""
    looked_at: datetime
    seen: list[Seen]
    """what was written within OVERLAP before that, and has been seen to"""
    gone: list[Gone]
    """what was removed, and is yet to be seen to"""
    owner: str
    until: datetime


TURNS: Collection[TariffTurn] = Collection("tariff_turns")
_LEASE = Lease("owner", "until")


@dataclass(frozen=True)
class _Turned:
    """A tariff whose turn it is, and when it was written last."""

    key: str
    owner: str
    tariff_id: str
    at: datetime | None = None


async def note_gone(tx: Tx, document: OwnedDocument) -> None:
    """The tariff is removed in this transaction: Locations that name it have another one now."""
    gone = Gone(key=document["_id"], owner=document["owner"], tariff_id=document["fields"]["id"])
    await TURNS.of(tx).update_many({}, {"$push": {"gone": gone}})


class TariffTurns:
    """The worker: runs in every process, works in one. `rounds.start` and `rounds.stop`."""

    def __init__(self, store: DbInterface) -> None:
        self._store = store
        self._owner = uuid.uuid4().hex
        self.rounds = Rounds("tariffs that turn", self.round, PAUSE_S, logger=logger)

    async def round(self) -> int:
        """See to what has turned, for every version in use that shows but what applies now; how
        many objects that are."""
        used = (await in_use(self._store.db)).audiences
        return sum(
            [
                await self._see_to(version)
                for version in VERSIONS.values()
                if version.with_current_tariffs and version.number in used
            ]
        )

    async def _see_to(self, version: OcpiVersion) -> int:
        db, name = self._store.db, view_of(version).name
        turns = TURNS.of(db)
        begun: JsonObject = {"looked_at": db.now() - OVERLAP, "seen": []}
        await turns.update_one({"_id": name}, {"$setOnInsert": begun}, upsert=True)
        last = await turns.update_and_find(
            {"_id": name, **_LEASE.free_for(self._owner)},
            [{"$set": _LEASE.taken(self._owner, LEASE_S)}],
        )
        if last is None:
            return 0
        now = db.now()
        written = await self._written(last["looked_at"] - OVERLAP)
        known = {(one["key"], one["at"]) for one in last["seen"]}
        news = [one for one in written if (one.key, one.at) not in known]
        gone = last.get("gone", [])
        removed = [_Turned(**one) for one in gone]
        turned = [*await self._dated(last["looked_at"], now), *news, *removed]
        number = await self._make_anew(turned, version) if turned else 0
        recent = [
            Seen(key=one.key, at=one.at)
            for one in written
            if one.at is not None and one.at > now - 2 * OVERLAP
        ]
        await turns.update_one(
            {"_id": name, **_LEASE.held_by(self._owner)},
            {
                "$set": {"looked_at": now, "seen": recent},
                "$pull": {"gone": {"key": {"$in": [one["key"] for one in gone]}}},
                "$unset": {_LEASE.owner: "", _LEASE.until: ""},
            },
        )
        return number

    async def _dated(self, since: datetime, until: datetime) -> list[_Turned]:
        """Tariffs that have become valid, or have ended, since then."""
        within = {
            "$gte": format_datetime(since - _SLACK),
            "$lte": format_datetime(until + _SLACK),
        }
        names = ("start_date_time", "end_date_time")
        rows = await self._tariffs({"$or": [{f"fields.{name}": within} for name in names]})
        return [
            _turned(row)
            for row in rows
            for date in (row["fields"].get(name) for name in names)
            if date is not None and since <= parse_datetime(date) <= until
        ]

    async def _written(self, since: datetime) -> list[_Turned]:
        audiences = {"$in": [EVERYBODY, GUESTS]}
        rows = await self._tariffs({"audience": audiences, "last_updated": {"$gte": since}})
        return [_turned(row) for row in rows]

    async def _tariffs(self, query: JsonMapping) -> list[OwnedDocument]:
        names = ("id", "start_date_time", "end_date_time")
        wanted = {"owner": 1, "last_updated": 1, **{f"fields.{name}": 1 for name in names}}
        return await self._store.objects("tariffs").of(self._store.db).find(query, wanted)

    async def _make_anew(self, turned: Sequence[_Turned], version: OcpiVersion) -> int:
        keys = [one.key for one in turned]
        ids = "|".join(sorted({re.escape(one.tariff_id) for one in turned}))
        naming = {
            "owner": {"$in": sorted({one.owner for one in turned})},
            "fields.evses.connectors.tariff_ids": {"$regex": f"^({ids})$", "$options": "i"},
        }
        return sum(
            [
                await self._make_anew_of("tariffs", {"_id": {"$in": keys}}, version),
                await self._make_anew_of("locations", naming, version),
            ]
        )

    async def _make_anew_of(self, module: str, query: JsonMapping, version: OcpiVersion) -> int:
        objects = self._store.objects(module).of(self._store.db)
        view = view_of(version)
        wanted = {"raw": 1, view.field: 1, "unsaid": 1}
        changed: list[str] = []
        unsaid: set[str] = set()
        async for row in objects.stream(query, wanted):
            if await self._has_turned(module, row, version):
                changed.append(row["_id"])
            if view.name in row.get("unsaid", ()):
                unsaid.add(row["_id"])
        peers = await self._peers(version)
        for start in range(0, len(changed), _AT_ONCE):
            batch = changed[start : start + _AT_ONCE]

            async def work(tx: Tx, batch: Sequence[str] = batch) -> None:
                for peer in peers:
                    if offers(peer, module):
                        await self._mark(tx, peer, module, batch, unsaid)
                await renew(module, batch, tx)

            await self._store.transact(work)
        return len(changed)

    async def _has_turned(self, module: str, row: OwnedDocument, version: OcpiVersion) -> bool:
        """Whether its view is not what it would be now. One that has none is made by who reads."""
        name = view_of(version).name
        is_unsaid = name in row.get("unsaid", ())
        had = UNSAID if is_unsaid else row.get("views", {}).get(name)
        if had is None:
            return False
        inner = Rendered(row["raw"]).plain()
        made = await kept(self._store.db, module, inner, row["raw"], version)
        return made != bytes(had)

    async def _mark(
        self,
        tx: Tx,
        peer: PeerDocument,
        module: str,
        keys: Sequence[str],
        unsaid: set[str],
    ) -> None:
        """All of each that it may see; `unsaid` it cannot have had."""
        seen = {**visible(module, reader_of(peer)), "_id": {"$in": list(keys)}}
        rows = await self._store.objects(module).of(tx).find(seen, {"_id": 1})
        for known in (True, False):
            its = [row["_id"] for row in rows if (row["_id"] not in unsaid) is known]
            await mark_opened(peer["_id"], module, its, tx, known=known)

    async def _peers(self, version: OcpiVersion) -> list[PeerDocument]:
        wanted = {"version": version.number, "status": {"$in": list(MARKED_FOR)}}
        return await PEERS.of(self._store.db).find(wanted)


def _turned(row: OwnedDocument) -> _Turned:
    return _Turned(row["_id"], row["owner"], row["fields"]["id"], row["last_updated"])
