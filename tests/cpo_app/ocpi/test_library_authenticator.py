"""The library's Authenticator contract on ours: what its own routes and websockets would ask."""

from __future__ import annotations

import pytest
from py_ocpi.core.exceptions import AuthorizationOCPIError

from cpo_app.ocpi.server.library_authenticator import LibraryAuthenticator
from tests.cpo_app.ocpi.conftest import Face


def test_a_token_is_good_for_what_its_kind_says(face: Face) -> None:
    contract = LibraryAuthenticator(face.authenticator)
    peer = face.connected("DE*TNM")
    _, invited = face.invite()

    assert face.loop.run(contract.authenticate_credentials(peer.token)) == peer.token
    assert face.loop.run(contract.authenticate_credentials(invited)) == {}
    assert face.loop.run(contract.authenticate_credentials("unknown")) is None

    face.loop.run(contract.authenticate(peer.token))
    for token in (invited, "unknown"):
        with pytest.raises(AuthorizationOCPIError):
            face.loop.run(contract.authenticate(token))
