"""How each version wants to be shown a token, and who is offered what."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from auth.credentials_header import encoded
from domain.versions import VERSIONS
from tests.cpo_app.ocpi.conftest import Face, PeerSide, shown
from tests.peers.subjects import assert_refused, data_of


def asked(face: Face, path: str, header: str) -> httpx.Response:
    return httpx.get(f"{face.ocpi}/{path}", headers={"Authorization": header})


def forms(peer: PeerSide) -> tuple[str, str]:
    """The token as the version wants it, and as it does not."""
    both = {True: encoded(peer.token), False: f"Token {peer.token}"}
    right = peer.version.description.encodes_tokens
    return both[right], both[not right]


def test_a_token_is_shown_as_the_version_wants_it(peer: PeerSide) -> None:
    right, wrong = forms(peer)
    url = f"cpo/{peer.version.number}/locations"
    assert asked(peer.face, url, right).status_code == 200
    refused = asked(peer.face, url, wrong)
    assert_refused(refused, 2000, 401)
    assert peer.version.number in refused.json()["status_message"]


def test_an_unknown_token_is_told_of_no_other_versions_form(peer: PeerSide) -> None:
    url = f"cpo/{peer.version.number}/locations"
    refused = asked(peer.face, url, shown("unknown!", peer.version))
    assert_refused(refused, 2000, 401)
    assert refused.json()["status_message"] == "The credentials token is not known"


def test_until_a_version_is_chosen_either_will_do(peer: PeerSide) -> None:
    for path in ("versions", f"{peer.version.number}/details"):
        for header in forms(peer):
            assert asked(peer.face, path, header).status_code == 200


def test_a_peer_that_is_known_not_to_encode_need_not(peer: PeerSide) -> None:
    face = peer.face
    quirks = {"quirks.raw_token": True}
    face.loop.run(face.peers.set(peer.peer_id, face.peers.now(), **quirks))
    face.authenticator.forget()
    url = f"cpo/{peer.version.number}/locations"
    assert asked(face, url, f"Token {peer.token}").status_code == 200


@pytest.mark.parametrize("path", ["cpo/9.9/locations", "9.9/details", "cpo/2.2/versions"])
def test_a_version_that_there_is_not_is_not_there(peer: PeerSide, path: str) -> None:
    for header in forms(peer):
        assert_refused(asked(peer.face, path, header), 2000, 404)


def test_a_peer_is_offered_what_the_operator_says(peer: PeerSide) -> None:
    face, mine = peer.face, peer.version
    only = {"settings.versions": [mine.number]}
    face.loop.run(face.peers.set(peer.peer_id, face.peers.now(), **only))
    face.authenticator.forget()
    rows = data_of(asked(face, "versions", shown(peer.token, mine)))
    assert [row["version"] for row in rows] == [mine.number]
    for version in VERSIONS.values():
        other = replace(peer, version=version)
        expected = 200 if version is mine else 404
        assert other.get("locations").status_code == expected
        assert other.get(f"{face.ocpi}/{version.number}/details").status_code == expected
