"""A real second implementation, extrawest's EMSP role, shakes hands, reads and writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from py_ocpi.modules.tokens.v_2_2_1.schemas import Token

from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import Face
from tests.domain.schemas.samples import connector, evse, location, token
from tests.peers.extrawest_emsp import TOKEN_A, TOKEN_C, ExtrawestEmsp, extrawest_emsp_on


@pytest.fixture
def extrawest(loop: Loop) -> Iterator[ExtrawestEmsp]:
    with extrawest_emsp_on(loop) as emsp:
        yield emsp


def works_with(face: Face, extrawest: ExtrawestEmsp) -> None:
    """After a handshake: it crawls our locations and keeps its tokens with us."""
    face.keep_locations(
        *(
            location(id=f"LOC{index}", evses=[evse(uid=f"E{index}", connectors=[connector()])])
            for index in range(5)
        )
    )
    pulled = extrawest.pull_locations()
    assert [row.id for row in pulled] == ["loc0", "loc1", "loc2", "loc3", "loc4"]
    assert pulled[0].evses[0].connectors[0].max_voltage == 230
    mine = Token(**token(country_code="NL", party_id="XTW", uid="UID-1"))
    assert extrawest.write_token(mine).status_code == 201
    assert extrawest.write_token(mine).status_code == 200
    kept = extrawest.ask("GET", f"{extrawest.endpoint('tokens')}/NL/XTW/UID-1").json()["data"]
    assert Token(**kept) == mine
    assert "null" not in str(kept) and "visual_number" not in kept


def test_it_registers_with_us(face: Face, extrawest: ExtrawestEmsp) -> None:
    peer_id, token_a = face.invite()
    given = extrawest.register_with(f"{face.ocpi}/versions", token_a)
    assert given.roles[0].role == "CPO"
    peer = face.loop.run(face.peers.get(peer_id))
    assert (peer.status, peer.parties) == ("connected", ["nl*xtw"])
    assert peer.endpoint("locations", "RECEIVER") == (
        f"{extrawest.base_url}/ocpi/emsp/2.2.1/locations/"
    )
    works_with(face, extrawest)


def test_we_register_with_it(face: Face, extrawest: ExtrawestEmsp) -> None:
    peer = face.loop.run(face.joining.connect(extrawest.versions_url, TOKEN_A))
    assert (peer.status, peer.name) == ("connected", "extrawest eMSP")
    assert face.peers.their_token(peer) == TOKEN_C
    assert extrawest.registered["credentials"]["roles"][0]["role"] == "CPO"
    works_with(face, extrawest)


def test_tokens_are_renewed_with_it(face: Face, extrawest: ExtrawestEmsp) -> None:
    peer = face.loop.run(face.joining.connect(extrawest.versions_url, TOKEN_A))
    first = extrawest.registered["credentials"]["token"]
    face.loop.run(face.renewal.rotate(peer.peer_id))
    assert extrawest.registered["credentials"]["token"] != first
    assert extrawest.pull_locations() == []
    face.loop.run(face.joining.unregister(peer.peer_id))
    assert extrawest.registered == {}
