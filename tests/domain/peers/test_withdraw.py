"""An invitation that nobody has used is taken back."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.peers import claims, parties, switches
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.peers.switches import NotPossible
from domain.secrets import Vault, new_token
from tests.conftest import Loop


def test_its_token_and_what_was_moved_to_it_are_free_at_once(db: Database, loop: Loop) -> None:
    async def story() -> None:
        store, peers = DbInterface(db), Peers(db, Vault("k" * 32))
        peer, token = await peers.invite("eMSP", db.now())
        await parties.move(store, "nl*tnm", peer.peer_id)

        await switches.withdraw(store, peer.peer_id)

        assert await peers.by_token(token) is None
        claim = await claims.of(db, "nl*tnm")
        assert claim is not None and claim["peer_id"] is None
        with pytest.raises(UnknownPeer):
            await switches.withdraw(store, peer.peer_id)

    loop.run(story())


def test_a_registered_peer_is_not_an_invitation(db: Database, loop: Loop) -> None:
    async def story() -> None:
        store, peers = DbInterface(db), Peers(db, Vault("k" * 32))
        peer, _ = await peers.invite("eMSP", db.now())
        await peers.connect(
            peer.peer_id, our_token=new_token(), their_token=new_token(), now=db.now()
        )

        with pytest.raises(NotPossible, match="is connected"):
            await switches.withdraw(store, peer.peer_id)

        assert (await peers.get(peer.peer_id)).status == "connected"

    loop.run(story())
