"""One of the two stores: its locations, its peer and its server."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import httpx
import pymongo

from auth.credentials_header import encoded
from bench import cpo, locations
from bench.ground import DROPPED_WITHIN_S, Ground
from bench.processes import Generator, Server, running
from db_interface import stretches
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from db_interface.owned_objects import LISTED, OwnedObject
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from domain.times import format_datetime

LIST = "/ocpi/cpo/2.2.1/locations"
_CHUNK, _AT_ONCE = 1000, 3
_SLOW_MS = 3_600_000
_SAID_EVERY_S = 15.0


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    locations: int = 1_000_000
    small: int = 20_000
    imported: int = 50_000
    rounds: int = 7
    slice_s: float = 1.0
    offsets: int = 60
    written: int = 200
    status_changes: int = 40


QUICK = Scale(
    locations=50_000,
    small=2_000,
    imported=4_000,
    rounds=5,
    slice_s=0.4,
    offsets=30,
    written=20,
    status_changes=20,
)


@dataclass
class Side:
    place: Ground
    name: str
    number: int
    """of its locations, at first"""
    token: str = field(default_factory=new_token)
    since: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _server: Server | None = None
    _generator: Generator | None = None

    def __post_init__(self) -> None:
        # One location was changed each second, the last one an hour ago.
        self.since -= timedelta(hours=1, seconds=self.number)

    @property
    def ground(self) -> Ground:
        return Ground(self.place.mongo_url, f"{self.place.database}_{self.name}")

    def settings(self) -> dict[str, str]:
        party = {"COUNTRY_CODE": locations.COUNTRY_CODE, "PARTY_ID": locations.PARTY_ID}
        return cpo.settings(self.ground, **party, CPO_MAX_REQUESTS_PER_MINUTE="0")

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Authorization": encoded(self.token),
            "X-Request-ID": "bench",
            "X-Correlation-ID": "bench",
        }

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    def serve(self, server: Server, generator: Generator) -> None:
        self._server, self._generator = server, generator

    async def ready(self) -> None:
        await cpo.answering(self.server)

    def client(self) -> httpx.AsyncClient:
        base_url = f"http://127.0.0.1:{self.server.port}"
        return httpx.AsyncClient(base_url=base_url, headers=self.headers, timeout=60)

    def memory_mb(self) -> float:
        return self.server.memory_mb()

    def stamp(self, index: int) -> str:
        """When the location of that number was changed."""
        return format_datetime(self.since + timedelta(seconds=index))

    def send(self, paths: Sequence[str], *, seconds: float | None = None) -> list[float]:
        """Milliseconds of each answer, on one connection."""
        assert self._generator is not None
        result = self._generator.send(
            self.server, paths, self.headers, connections=1, seconds=seconds
        )
        taken: list[float] = result["latencies_ms"]
        return taken

    async def dropped(self) -> None:
        db = self.ground.connect()
        with pymongo.timeout(DROPPED_WITHIN_S):
            await db.client.drop_database(db.name)
        db.close()


@contextmanager
def serving_side(side: Side, generator: Generator) -> Iterator[None]:
    with running("serve", side.settings()) as server:
        side.serve(server, generator)
        yield


async def filled(side: Side, scale: Scale) -> dict[str, float]:
    """Locations, then their indexes, a peer, and the lists cut into stretches as the servers do it.

    What a location takes in the store: with all indexes, as the store's files have it.
    """
    began = time.monotonic()
    db = Database.connect(side.place.mongo_url, side.ground.database, timeout_ms=_SLOW_MS)
    store, said = DbInterface(db), _Progress(side)
    starts = iter(range(0, side.number, _CHUNK))

    async def write() -> None:
        for start in starts:
            chunk = range(start, min(start + _CHUNK, side.number))
            objects = [located(side, index) for index in chunk]
            await store.transact(functools.partial(_keep, objects))
            said.say(chunk.stop)

    await asyncio.gather(*(write() for _ in range(_AT_ONCE)))
    await ensure_indexes(db)
    await _connected(side, db)
    await asyncio.sleep(stretches.SETTLED_AFTER.total_seconds() + 1)
    for module in LISTED:
        while await stretches.cut(store, module):
            pass
    taken = await db.client[db.name].command("collStats", "locations")
    db.close()
    if side.number < scale.locations:
        return {}
    per = {name: taken[name] / side.number for name in ("size", "storageSize", "totalIndexSize")}
    return {
        "fill_s": time.monotonic() - began,
        "bytes_per_location": per["storageSize"] + per["totalIndexSize"],
        "bytes_of_its_document": per["storageSize"],
        "bytes_of_its_index_entries": per["totalIndexSize"],
        "bytes_unpacked": per["size"],
    }


def located(side: Side, index: int) -> OwnedObject:
    row = locations.location(index)
    row["last_updated"] = side.stamp(index)
    return owned_location(row)


async def _keep(objects: Sequence[OwnedObject], tx: Tx) -> None:
    await tx.store.objects("locations").put_new(objects, tx)


async def _connected(side: Side, db: Database) -> None:
    """A peer that pulls and takes no pushes."""
    peers, now = Peers(db, Vault(cpo.KEY)), datetime.now(timezone.utc)
    peer, _ = await peers.invite("bench", now, ANY_PARTY)
    await peers.connect(
        peer.peer_id,
        our_token=side.token,
        their_token=new_token(),
        now=now,
        roles=[{"role": "EMSP", "country_code": "DE", "party_id": "TNM"}],
        endpoints=[],
    )


async def answered(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """Raises httpx.HTTPError where it is an error."""
    answer = await client.get(path)
    answer.raise_for_status()
    return answer


class _Progress:
    """Says now and then how far a store is."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._said_at = time.monotonic()

    def say(self, number: int) -> None:
        if time.monotonic() - self._said_at > _SAID_EVERY_S:
            self._said_at = time.monotonic()
            report(f"{self._side.name} store: {number:,} of {self._side.number:,} locations")


def report(text: str) -> None:
    """How far it is: the whole takes minutes."""
    print(f"    {text}", file=sys.stderr, flush=True)
