"""A version comes into use: what is there already is kept in it, too, once, by one worker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db_interface.collection import Where
from db_interface.json_data import JsonMapping
from domain.peers.peer_document import PEERS
from domain.versions import OcpiVersion
from domain.views import filling, making
from domain.views.filling import FILLS, ViewFilling
from domain.views.in_use import look_again
from tests.domain.schemas.samples import evse
from tests.domain.views.conftest import HOLDER, World
from tests.domain.views.test_making import session


def job(world: World, begins_after: timedelta = timedelta(0)) -> ViewFilling:
    return ViewFilling(world.store, begins_after=begins_after)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "AT_ONCE", 2)
    monkeypatch.setattr(filling, "BREATH_S", 0)


def test_all_that_somebody_may_read_is_made(world: World) -> None:
    for number in range(5):
        world.publish_location(f"LOC{number}", evses=[evse(uid=f"Evse-{number}")])
    world.publish("sessions", session("S1"))
    world.publish("sessions", session("S2", "OTH"))
    world.comes_a_peer(HOLDER)
    before = world.listed("locations")
    world.loop.run(job(world).round())
    assert world.kept("locations") == [True] * 5
    assert world.kept("sessions") == [True, False]
    assert world.listed("locations") == before


def test_what_cannot_be_said_in_it_is_not_counted_in_it(world: World) -> None:
    world.publish_location("LOC1", city="Nowhere")
    world.publish_location("LOC2")
    world.comes_a_peer(HOLDER)
    world.loop.run(job(world).round())
    assert (world.number("locations"), len(world.listed("locations"))) == (1, 1)


def test_nothing_is_made_of_a_version_that_nobody_speaks(world: World) -> None:
    world.publish_location("LOC1")
    world.loop.run(job(world).round())
    assert world.kept("locations") == [False]
    assert world.loop.run(FILLS.of(world.store.db).count({})) == 0


def test_it_begins_once_everybody_knows_that_the_version_is_in_use(world: World) -> None:
    world.publish_location("LOC1")
    world.comes_a_peer(HOLDER)
    world.loop.run(job(world, timedelta(hours=1)).round())
    assert world.kept("locations") == [False]


def test_one_works_at_a_time_and_another_goes_on_where_it_broke_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        world.publish_location(f"LOC{number}")
    world.comes_a_peer(HOLDER)
    calls = 0

    async def breaks_off(
        where: Where, module: str, inner: JsonMapping, raw: bytes, version: OcpiVersion
    ) -> bytes:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise RuntimeError("broken off")
        return await making.kept(where, module, inner, raw, version)

    first = job(world)
    with monkeypatch.context() as patch:
        patch.setattr(filling, "kept", breaks_off)
        with pytest.raises(RuntimeError):
            world.loop.run(first.round())
    assert world.kept("locations") == [True, True, False, False, False]
    world.loop.run(job(world).round())
    assert world.kept("locations").count(True) == 2, "the first one's lease still runs"
    world.loop.run(first.round())
    assert world.kept("locations") == [True] * 5


def test_what_is_written_meanwhile_keeps_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish_location("LOC1")
    world.comes_a_peer(HOLDER)

    async def overtaken(
        where: Where, module: str, inner: JsonMapping, raw: bytes, version: OcpiVersion
    ) -> bytes:
        made = await making.kept(where, module, inner, raw, version)
        await world.published_location("LOC1", city="Brugge")
        return made

    monkeypatch.setattr(filling, "kept", overtaken)
    world.loop.run(job(world).round())
    assert [row["city"] for row in world.listed("locations")] == ["Brugge"]


def test_a_version_that_comes_back_into_use_is_gone_through_again(world: World) -> None:
    world.comes_a_peer(HOLDER)
    world.loop.run(job(world).round())
    world.loop.run(PEERS.of(world.store.db).delete_many({}))
    look_again(world.store.db)
    world.loop.run(job(world).round())
    world.publish_location("LOC1")
    assert world.kept("locations") == [False]
    world.comes_a_peer(HOLDER)
    world.loop.run(job(world).round())
    assert world.kept("locations") == [True]
