"""A kept document follows what is published, and asks the store no more than it has to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest

from db_interface.database import Database, StoreUnavailable
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from domain.objects.tariffs import owned_tariff
from domain.open_data import kept_document, published
from domain.open_data.edition import Edition
from domain.open_data.kept_document import GOOD_FOR, KeptDocument, NotReady, TooLarge
from domain.open_data.ocpi_documents import OcpiDocuments
from domain.outbox.publishing import publish_all, withdraw
from domain.platform_facts import announce_address
from domain.versions import VERSIONS
from domain.views.in_use import in_use, look_again
from tests.clock import Clock
from tests.conftest import Loop
from tests.domain.schemas.samples import connector, evse, location, tariff

ENOUGH = 10_000_000


class World:
    def __init__(self, db: Database, loop: Loop) -> None:
        self.db = db
        self.store = DbInterface(db)
        self.loop = loop

    def documents(self, number: str = "2.2.1", max_bytes: int = ENOUGH) -> OcpiDocuments:
        return OcpiDocuments(
            self.store, ["nl*evc"], VERSIONS[number], max_bytes=max_bytes, look_every_s=0
        )

    def publish(self, module: str, *objects: OwnedObject) -> None:
        async def all_of_them() -> None:
            for one in objects:
                await self.store.transact(partial(publish_all, self.store, module, [one]))

        self.loop.run(all_of_them())

    def publish_location(self, id_: str, *, private: bool = False, **fields: Any) -> None:
        given = {"country_code": "NL", "party_id": "EVC", "publish": True, **fields}
        self.publish("locations", owned_location(location(id=id_, **given), private=private))

    def publish_tariff(self, id_: str, **fields: Any) -> None:
        given = {"country_code": "NL", "party_id": "EVC", **fields}
        self.publish("tariffs", owned_tariff(tariff(id=id_, **given)))

    def edition(self, document: KeptDocument) -> Edition:
        return self.loop.run(document.edition())

    def objects(self, document: KeptDocument) -> list[JsonObject]:
        read = orjson.loads(b"".join(self.edition(document).content()))
        assert read["status_code"] == 1000
        found: list[JsonObject] = read["data"]
        return found

    def ids(self, document: KeptDocument) -> list[str]:
        return [one["id"] for one in self.objects(document)]


@pytest.fixture
def world(db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(published, "AT_ONCE", 2)
    return World(db, loop)


def test_what_is_published_stands_in_it_and_nothing_else(world: World) -> None:
    for number in range(5):
        world.publish_location(f"LOC{number}")
    world.publish_location("PRIVATE", private=True)
    world.publish_location("GUESTS", publish=False)
    world.publish_location("OTHERS", party_id="OTH")
    documents = world.documents()
    assert world.ids(documents.locations) == [f"LOC{number}" for number in range(5)]


@pytest.mark.parametrize("number", ["2.2.1", "2.3.0"])
def test_it_follows_every_change(world: World, number: str) -> None:
    for each in range(4):
        world.publish_location(f"LOC{each}")
    document = world.documents(number).locations
    first = world.edition(document)
    assert world.edition(document) is first

    world.publish_location("LOC1", city="Brugge")
    world.publish_location("LOC2", private=True)
    world.publish_location("LOC4")
    now = world.objects(document)
    assert [(one["id"], one["city"]) for one in now] == [
        ("LOC0", location()["city"]),
        ("LOC1", "Brugge"),
        ("LOC3", location()["city"]),
        ("LOC4", location()["city"]),
    ]
    world.publish_location("LOC2")
    assert world.ids(document) == ["LOC0", "LOC1", "LOC2", "LOC3", "LOC4"]
    assert world.edition(document).tag == world.edition(world.documents(number).locations).tag


def test_ad_hoc_tariffs_that_a_published_connector_names(world: World) -> None:
    named = ["adhoc", "ANY", "CARD", "ENDED"]
    here = evse(connectors=[connector(tariff_ids=named)])
    elsewhere = evse(connectors=[connector(tariff_ids=["HIDDEN"])])
    world.publish_location("LOC1", evses=[here])
    world.publish_location("LOC2", evses=[elsewhere], private=True)
    world.publish_tariff("AdHoc", type="AD_HOC_PAYMENT")
    world.publish_tariff("ANY")
    world.publish_tariff("CARD", type="REGULAR")
    world.publish_tariff("ENDED", end_date_time="2020-01-01T00:00:00Z")
    world.publish_tariff("HIDDEN")
    world.publish_tariff("UNUSED")
    documents = world.documents()
    assert world.ids(documents.tariffs) == ["AdHoc", "ANY"]

    world.publish_location("LOC2", evses=[elsewhere])
    assert world.ids(documents.tariffs) == ["AdHoc", "ANY", "HIDDEN"]
    remove = world.store.transact(lambda tx: withdraw(world.store, "tariffs", "nl/evc/any", tx))
    world.loop.run(remove)
    assert world.ids(documents.tariffs) == ["AdHoc", "HIDDEN"]


def test_however_many_ask_the_store_is_looked_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish_location("LOC1")
    looked = 0
    see: Callable[[KeptDocument], Awaitable[None]] = KeptDocument._see

    async def seen(document: KeptDocument) -> None:
        nonlocal looked
        looked += 1
        await see(document)

    monkeypatch.setattr(KeptDocument, "_see", seen)
    documents = OcpiDocuments(
        world.store, ["nl*evc"], VERSIONS["2.2.1"], max_bytes=ENOUGH, look_every_s=600
    )

    async def many() -> list[Edition]:
        at_once = await asyncio.gather(*(documents.locations.edition() for _ in range(50)))
        return [*at_once, await documents.locations.edition()]

    editions = world.loop.run(many())
    assert (looked, len({id(one) for one in editions})) == (1, 1)


def test_what_would_be_too_large_is_not_kept_and_the_operator_is_told_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for each in range(5):
        world.publish_location(f"LOC{each}")
    document = world.documents(max_bytes=300).locations
    for _ in range(2):
        with pytest.raises(TooLarge):
            world.edition(document)
    assert [record.getMessage() for record in caplog.records].count(
        "open data: a document is larger than CPO_OPEN_DATA_MAX_MB"
    ) == 1


def test_while_the_store_is_away_it_is_as_it_was_for_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish_location("LOC1")
    document = world.documents().locations
    first = world.edition(document)

    async def away(_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(KeptDocument, "_see", away)
    assert world.edition(document) is first
    monkeypatch.setattr(world.db, "clock", Clock(world.db.now() + GOOD_FOR + timedelta(seconds=1)))
    with pytest.raises(StoreUnavailable):
        world.edition(document)


def test_who_asks_does_not_wait_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.open_data.kept_document.WAIT_S", 0)
    document = world.documents().locations
    with pytest.raises(NotReady):
        world.edition(document)
    world.loop.run(document.stop())


def test_what_is_offered_to_everybody_is_kept_in_its_versions(world: World) -> None:
    async def told(offered: bool) -> list[str]:
        await announce_address(world.db, {"CPO_OPEN_DATA": offered})
        look_again(world.db)
        return list((await in_use(world.db)).audiences)

    assert world.loop.run(told(False)) == ["2.2.1"]
    assert world.loop.run(told(True)) == ["2.2.1", "2.3.0"]
    world.loop.run(told(False))


def test_it_is_made_before_anybody_asks_and_goes_on_without_pauses_once_somebody_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_document, "PAUSE_FACTOR", 1e9)
    for each in range(5):
        world.publish_location(f"LOC{each}")
    document = world.documents().locations

    async def story() -> tuple[bool, Edition, Edition]:
        making = asyncio.create_task(document.prepare())
        paused, _ = await asyncio.wait((making,), timeout=0.05)
        first = await document.edition()
        await making
        return bool(paused), first, await document.edition()

    was_done, first, second = world.loop.run(story())
    assert not was_done
    assert (first.number, second) == (5, first)
    world.loop.run(document.stop())


def test_nobody_is_the_first_reader_of_what_was_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(5):
        world.publish_location(f"LOC{each}")
    documents = world.documents()
    world.loop.run(documents.prepare())

    def never(*_: object) -> None:
        raise AssertionError("it was made anew")

    monkeypatch.setattr(kept_document, "first_parts", never)
    assert len(world.ids(documents.locations)) == 5
    assert world.ids(documents.tariffs) == []
    world.publish_location("LOC5")
    assert len(world.ids(documents.locations)) == 6


def test_what_cannot_be_kept_whole_is_given_up_early_and_prepared_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_document, "_JUDGED_FROM", 2)
    for each in range(40):
        world.publish_location(f"LOC{each}")
    asked = 0
    rows = world.documents().locations

    async def all_of_them(self: published.Published) -> AsyncIterator[list[published.Row]]:
        nonlocal asked
        async for some in every_row(self):
            asked += 1
            yield some

    every_row = published.Published.all
    monkeypatch.setattr(published.Published, "all", all_of_them)
    whole = world.edition(rows).kept_bytes
    assert asked == 20

    asked = 0
    document = world.documents(max_bytes=whole // 3).locations
    world.loop.run(document.prepare())
    assert 1 <= asked <= 3
    asked = 0
    world.loop.run(document.prepare())
    assert asked == 0
    with pytest.raises(TooLarge):
        world.edition(document)
