"""`cpo peers remove` from a second terminal: by the running servers' settings, and it says whether
the peer was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI, Request

from db_interface.database import Database
from domain.peers.peers import Peers
from domain.platform_facts import announce_address
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.cpo_app.ocpi.push.conftest import connected
from tests.serving import listener, served, url_of


@dataclass
class Emsp:
    """Takes leave, as it is told."""

    url: str
    status_code: int = 1000
    heard: list[str] = field(default_factory=list)
    app: FastAPI = field(default_factory=FastAPI)

    def __post_init__(self) -> None:
        @self.app.delete("/credentials")
        async def leave(request: Request) -> dict[str, object]:
            self.heard.append(request.headers["authorization"])
            return {"status_code": self.status_code, "timestamp": "2025-01-01T00:00:00Z"}

    def endpoints(self, *modules: str, slash: str = "") -> list[dict[str, str]]:
        url = f"{self.url}/credentials"
        return [{"identifier": "credentials", "role": "RECEIVER", "url": url}]


@pytest.fixture
def emsp(loop: Loop) -> Iterator[Emsp]:
    listening = listener()
    emsp = Emsp(url_of(listening))
    with served(emsp.app, loop, listening):
        yield emsp


@pytest.fixture
def peer_id(db: Database, loop: Loop, emsp: Emsp) -> str:
    return loop.run(connected(Peers(db, Vault("k" * 40)), emsp, "DE*TNM"))


def test_a_peer_that_does_not_take_it_was_not_told(
    cpo: Cpo, db: Database, loop: Loop, emsp: Emsp, peer_id: str
) -> None:
    loop.run(announce_address(db, {"CPO_ALLOW_PRIVATE_URLS": True}))
    emsp.status_code = 2000
    assert cpo("peers", "remove", peer_id, "--yes").err.endswith("it could not be told.\n")
    assert len(emsp.heard) == 1


def test_a_peer_that_listens_is_told(
    cpo: Cpo, db: Database, loop: Loop, emsp: Emsp, peer_id: str
) -> None:
    """It is on this host: that this may be is known from the servers, not from the terminal."""
    loop.run(announce_address(db, {"CPO_ALLOW_PRIVATE_URLS": True}))
    done = cpo("peers", "remove", peer_id, "--yes")
    assert (done.code, done.err) == (0, f"{peer_id}: removed; it was told.\n"), done.err
    assert len(emsp.heard) == 1
    assert cpo("peers", "list", "--json").json() == []


def test_one_that_cannot_be_reached_is_gone_and_said_to_be_untold(
    cpo: Cpo, emsp: Emsp, peer_id: str
) -> None:
    """Here the servers' own setting forbids its address."""
    done = cpo("peers", "remove", peer_id, "--yes")
    assert (done.code, done.err) == (0, f"{peer_id}: removed; it could not be told.\n"), done.err
    assert emsp.heard == []
