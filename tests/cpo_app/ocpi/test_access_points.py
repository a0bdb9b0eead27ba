"""A national access point (role NAP) is given what is published, and nothing else."""

from __future__ import annotations

import pytest

from domain.peers import switches
from domain.peers.access_points import is_access_point
from tests.cpo_app.ocpi.conftest import Face, PeerSide
from tests.domain.schemas.samples import location, token
from tests.peers.subjects import assert_refused, data_of


@pytest.fixture
def access_point(face: Face) -> PeerSide:
    face.keep_locations(location(id="SHOWN"), location(id="GUESTS", publish=False))
    return face.connected("NL*NDW", role="NAP")


def ids(peer: PeerSide) -> list[str]:
    return [one["id"] for one in data_of(peer.get("locations"))]


def test_it_reads_published_locations_and_tariffs(face: Face, access_point: PeerSide) -> None:
    assert ids(access_point) == ["SHOWN"]
    assert access_point.get("locations/GUESTS").status_code == 404
    assert access_point.get("tariffs").status_code == 200
    assert ids(face.connected("DE*TNM")) == ["SHOWN", "GUESTS"]


def test_the_operator_may_show_it_more(face: Face, access_point: PeerSide) -> None:
    face.loop.run(switches.widen(face.store, access_point.peer_id))
    face.authenticator.forget()
    assert ids(access_point) == ["SHOWN", "GUESTS"]


def test_drivers_are_none_of_its_business(access_point: PeerSide) -> None:
    for module in ("sessions", "cdrs", "tokens/NL/NDW/1"):
        assert_refused(access_point.get(module), 2000, 404)
    card = token(country_code="NL", party_id="NDW", uid="1")
    assert_refused(access_point.put("tokens/NL/NDW/1", json=card), 2000, 404)
    started = access_point.post("commands/START_SESSION", json={})
    assert_refused(started, 2000, 404)
    assert "role is NAP alone" in started.json()["status_message"]


def test_who_is_something_else_besides_is_no_access_point() -> None:
    assert is_access_point([{"role": "NAP"}, {"role": "NAP"}])
    assert not is_access_point([{"role": "NAP"}, {"role": "EMSP"}])
    assert not is_access_point([])
