"""Which versions are in use: nobody is read who speaks the inner one, as most peers may."""

from __future__ import annotations

from domain.peers.peer_document import PEERS
from domain.versions import INNER_VERSION
from domain.views.in_use import in_use, look_again
from tests.domain.views.conftest import HOLDER, NUMBER, World


def test_peers_of_other_versions_alone_are_asked_for_what_is_open_to_them(world: World) -> None:
    world.comes_a_peer(HOLDER)
    inner = {"_id": "inner", "version": INNER_VERSION.number, "audiences": ["de*inn"]}

    async def found() -> dict[str, frozenset[str]]:
        there = await PEERS.of(world.store.db).find_one({"version": NUMBER})
        assert there is not None
        await world.store.db[PEERS.name].insert_one({**there, **inner})
        look_again(world.store.db)
        return dict((await in_use(world.store.db)).audiences)

    used = world.loop.run(found())
    assert used == {INNER_VERSION.number: frozenset(), NUMBER: frozenset({HOLDER})}
