"""Peers are read together where many ask at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

import pytest

from db_interface.database import Database
from domain.peers.peer_document import PeerDocument, UnknownPeer
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault
from tests.conftest import Loop


def test_who_asks_for_peers_at_the_same_time_is_answered_by_few_questions(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = Peers(db, Vault("key " * 12))
    questions: list[int] = []
    read = peers._some

    async def counted(peer_ids: Sequence[str]) -> Mapping[str, PeerDocument]:
        questions.append(len(peer_ids))
        return await read(peer_ids)

    async def story() -> None:
        now = datetime.now(timezone.utc)
        ids = [(await peers.invite(f"peer {n}", now, ANY_PARTY))[0].peer_id for n in range(3)]
        monkeypatch.setattr(peers._asked_for, "_read", counted)
        found = await asyncio.gather(*(peers.get(id_) for id_ in ids * 10))
        assert [one.peer_id for one in found] == ids * 10
        assert questions == [3]
        # Each has its own.
        found[0].document["name"] = "changed"
        assert found[3].document["name"] == "peer 0"
        with pytest.raises(UnknownPeer):
            await peers.get("nobody")

    loop.run(story())
