"""Writers and pulling readers on one store, each with a client of its own as processes have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import orjson

from db_interface.database import STORE_ERRORS, Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.pages import PageQuery
from db_interface.transaction import Tx
from domain.outbox.stamping import stamp_at

MODULE = "sessions"
EVERYBODY = "*"


def thing(object_id: str, value: int, now: datetime) -> OwnedObject:
    fields = {"country_code": "DE", "party_id": "CPO", "id": object_id, "value": value}
    return OwnedObject("DE", "CPO", (object_id,), {**fields, "last_updated": ""}, now)


async def write(tx: Tx, object_id: str, value: int) -> None:
    """What the makers of objects do: stamped by the transaction, in the transaction."""
    stamp = stamp_at(tx.now)
    unstamped = thing(object_id, value, datetime.min.replace(tzinfo=timezone.utc))
    await tx.store.objects(MODULE).replace(unstamped, tx, stamp)


async def silence(db: Database) -> None:
    """Nothing: what a process does that is stopped, or starved of processor time."""


@dataclass
class Puller:
    """A peer that keeps what it has pulled, and asks on from there."""

    db: Database
    ask_from: Callable[[Puller, datetime], datetime]
    limit: int = 5
    has: dict[str, int] = field(default_factory=dict)
    newest: datetime = datetime(2020, 1, 1, tzinfo=timezone.utc)
    started: datetime = datetime(2020, 1, 1, tzinfo=timezone.utc)
    stamps: dict[str, datetime] = field(default_factory=dict)
    went_back: list[str] = field(default_factory=list)

    async def pull_in_the_end(self) -> None:
        """`pull`, again where the store has not answered in time: a peer hears 503 then, and asks
        from where it was."""
        while True:
            before = self.newest, self.started
            try:
                await self.pull()
                return
            except STORE_ERRORS:
                self.newest, self.started = before

    async def crawl(self) -> None:
        """All pages of the list without dates."""
        self.started = self.db.now()
        await self._read_all(None)

    async def pull(self) -> int:
        """All pages of one pull; how many objects there were."""
        now = self.db.now()
        begin, self.started = self.ask_from(self, now), now
        return await self._read_all(begin)

    async def _read_all(self, begin: datetime | None) -> int:
        objects, after, as_of, seen = DbInterface(self.db).objects(MODULE), None, None, 0
        while True:
            query = PageQuery(
                [EVERYBODY], limit=self.limit, date_from=begin, after=after, as_of=as_of
            )
            page = await objects.page(query)
            for raw in page.raws:
                self._keep(orjson.loads(raw))
            seen += len(page.raws)
            if page.is_last:
                return seen
            after, as_of = page.last_seq, page.as_of

    def _keep(self, row: dict[str, str | int]) -> None:
        at = datetime.fromisoformat(str(row["last_updated"]).replace("Z", "+00:00"))
        name = str(row["id"])
        if at < self.stamps.get(name, at):
            self.went_back.append(name)
        self.stamps[name], self.has[name] = at, int(row["value"])
        self.newest = max(self.newest, at)


def from_newest(puller: Puller, now: datetime) -> datetime:
    return puller.newest


def from_last_start(puller: Puller, now: datetime) -> datetime:
    return puller.started


async def stored(db: Database) -> dict[str, int]:
    rows = await DbInterface(db).objects(MODULE).documents({}, fields={"fields": 1})
    return {row["fields"]["id"]: row["fields"]["value"] for row in rows}


def lag(before: datetime, after: datetime) -> float:
    return (after - before) / timedelta(seconds=1)
