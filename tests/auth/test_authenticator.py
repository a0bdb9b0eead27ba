"""Who calls: requests of a peer that come at once cost its document one write."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from auth.authenticator import SEEN_EVERY, OcpiAuthenticator
from auth.credentials_header import encoded
from db_interface.database import Database
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from tests.clock import Clock
from tests.conftest import Loop


def test_a_peer_whose_requests_come_at_once_is_noted_once(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = db.clock = Clock()
    peers, token = Peers(db, Vault("k" * 32)), new_token()
    noted: list[datetime] = []
    seen = peers.seen

    async def counted(peer_id: str, now: datetime) -> None:
        noted.append(now)
        await seen(peer_id, now)

    async def story() -> None:
        peer, _ = await peers.invite("eMSP", clock.now(), ANY_PARTY)
        await peers.connect(
            peer.peer_id,
            our_token=token,
            their_token=new_token(),
            now=clock.now(),
            roles=[{"role": "EMSP", "country_code": "DE", "party_id": "EMS"}],
            endpoints=[],
        )
        monkeypatch.setattr(peers, "seen", counted)
        authenticator = OcpiAuthenticator(db, peers)
        header = encoded(token)
        for _ in range(2):
            clock.advance(2 * SEEN_EVERY.total_seconds())
            authenticator.forget()
            callers = await asyncio.gather(*(authenticator.caller(header) for _ in range(10)))
            assert {caller and caller.peer.peer_id for caller in callers} == {peer.peer_id}
            assert (await peers.get(peer.peer_id)).last_seen == clock.now()

    loop.run(story())
    assert len(noted) == 2
