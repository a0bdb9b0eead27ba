"""Our OCPI face in all versions, and a peer that speaks one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from db_interface.database import Database
from domain.versions import VERSIONS, OcpiVersion
from domain.views.in_use import look_again
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import Face, PeerSide, running_face

ALL = ",".join(VERSIONS)


@pytest.fixture(scope="session")
def _face_of_all(_shared: Database, loop: Loop) -> Iterator[Face]:
    with running_face(_shared, loop, CPO_OCPI_VERSIONS=ALL) as face:
        yield face


@pytest.fixture
def face(_face_of_all: Face, db: Database) -> Face:
    """A face that offers all versions, and knows no peer and no object."""
    _face_of_all.authenticator.forget()
    look_again(db)
    return _face_of_all


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> OcpiVersion:
    return VERSIONS[request.param]


@pytest.fixture
def peer(face: Face, version: OcpiVersion) -> PeerSide:
    """An eMSP DE*TNM that is registered with us, in the version."""
    side = face.connected("DE*TNM", version=version.number)
    look_again(face.store.db)
    return replace(side, version=version)
