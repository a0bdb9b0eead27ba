"""A version of OCPI that no peer speaks but these tests', and what is seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

import orjson
import pytest

from crud.sender_module import SenderModule
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED
from domain.versions import (
    INNER_VERSION,
    VERSIONS,
    Context,
    Converted,
    ObjectKind,
    OcpiVersion,
    Unconvertible,
)
from domain.views import unsaid
from domain.views.in_use import look_again
from domain.visibility import Reader
from tests.conftest import Loop
from tests.domain.schemas.samples import location

NUMBER = "9.9"
HOLDER = "de*tnm"


def nines(given: JsonMapping, context: Context) -> Converted:
    """An object of 9.9: its id, how it is updated, and the city where it is or took place."""
    place = context.location or given
    if place["city"] == "Nowhere":
        raise Unconvertible("the city is nowhere")
    if place["city"] == "Bug":
        raise RuntimeError("a mistake of the version's")
    return Converted({"nine": given["id"], "at": given["last_updated"], "city": place["city"]})


@pytest.fixture
def nine(monkeypatch: pytest.MonkeyPatch) -> OcpiVersion:
    """OCPI 9.9."""
    version = replace(
        INNER_VERSION,
        number=NUMBER,
        renderers=dict.fromkeys(ObjectKind, nines),
        with_whole_location=frozenset({ObjectKind.SESSION}),
    )
    monkeypatch.setitem(VERSIONS, NUMBER, version)
    return version


class World:
    """A store in which objects are published, and what a reader of 9.9 gets of them."""

    def __init__(self, store: DbInterface, loop: Loop, version: OcpiVersion) -> None:
        self.store = store
        self.loop = loop
        self.version = version

    def comes_a_peer(self, *audiences: str) -> None:
        """One that speaks 9.9."""
        now = datetime.now(timezone.utc)
        peers = PEERS.of(self.store.db)
        self.loop.run(
            peers.insert_one(
                {
                    "_id": f"peer-{'-'.join(audiences)}",
                    "name": "nine",
                    "status": CONNECTED,
                    "version": NUMBER,
                    "audiences": list(audiences),
                    "created": now,
                    "updated": now,
                }
            )
        )
        look_again(self.store.db)

    def publish(self, module: str, obj: OwnedObject) -> None:
        self.loop.run(self.store.transact(lambda tx: publish(self.store, module, obj, tx)))

    def publish_location(self, location_id: str, **fields: object) -> None:
        self.loop.run(self.published_location(location_id, **fields))

    async def published_location(self, location_id: str, **fields: object) -> None:
        obj = owned_location(location(id=location_id, **fields))
        await self.store.transact(lambda tx: publish(self.store, "locations", obj, tx))

    def kept(self, module: str) -> list[bool]:
        """Whether a view is kept, of each object in order of creation."""
        rows = self.loop.run(self.store.objects(module).documents({}, sort=[("seq", 1)]))
        return [bool(row.get("views")) for row in rows]

    def listed(self, module: str, form: OcpiVersion | None = None) -> list[JsonObject]:
        return [orjson.loads(raw) for raw in self._page(module, form)[0]]

    def number(self, module: str, form: OcpiVersion | None = None) -> int:
        """X-Total-Count, as a process knows it that has just begun."""
        unsaid.look_again(self.store)
        return self._page(module, form)[1]

    def _page(self, module: str, form: OcpiVersion | None) -> tuple[list[bytes], int, bool]:
        listing = Listed(self.store, module).list(
            {"limit": 50},
            reader=Reader((HOLDER,)),
            form=form or self.version,
        )
        return self.loop.run(listing)

    def one(self, module: str, object_id: str) -> JsonObject | None:
        found = self.loop.run(
            Listed(self.store, module).get(object_id, reader=Reader((HOLDER,)), form=self.version)
        )
        return None if found is None else found.plain()


class Listed(SenderModule):
    def __init__(self, store: DbInterface, module: str) -> None:
        super().__init__(store)
        self.module = module


@pytest.fixture
def world(db: Database, loop: Loop, nine: OcpiVersion) -> Iterator[World]:
    look_again(db)
    yield World(DbInterface(db), loop, nine)
    look_again(db)
