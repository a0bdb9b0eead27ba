"""Where results may be sent: only to the place that the peer itself has registered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.result_sender import ResultSender
from domain.errors import InvalidParameters
from tests.cpo_app.ocpi.conftest import Face


@pytest.fixture
def client(face: Face) -> Iterator[PeerClient]:
    async def make() -> PeerClient:
        return PeerClient()

    client = face.loop.run(make())
    yield client
    face.loop.run(client.aclose())


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/result",
        "https://peer.example.elsewhere.example/result",
        "https://peer.example:8443/result",
        "http://peer.example/result",
        "https://peer.example@elsewhere.example/result",
        "https://127.0.0.1/result",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_a_response_url_elsewhere_is_refused(face: Face, client: PeerClient, url: str) -> None:
    peer = face.connected("DE*TNM")
    sender = ResultSender(face.peers, client)
    face.loop.run(sender.check(peer.peer_id, "https://peer.example/results/1"))
    with pytest.raises(InvalidParameters, match="response_url"):
        face.loop.run(sender.check(peer.peer_id, url))
