"""Commands that a peer sends in its version: the same rooms, its own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.schemas import validate
from domain.versions import ObjectKind, OcpiVersion
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, Emsp, token
from tests.cpo_app.ocpi.versions.conftest import ALL
from tests.peers.subjects import assert_refused, data_of


class World:
    """Our face with charge points behind it, and an eMSP that speaks the version."""

    def __init__(self, face: CommandFace, version: OcpiVersion) -> None:
        self.face = face
        self.version = version
        self.emsp: Emsp = face.emsp()
        self.emsp.side = replace(self.emsp.side, version=version)

    def ask(self, kind: ObjectKind, **fields: Any) -> httpx.Response:
        inner = {"response_url": f"{self.emsp.url}/results/1", **fields}
        body = self.version.render(kind, inner).object
        return self.emsp.side.post(f"commands/{kind.value.upper()}", json=body)

    def answer(self, kind: ObjectKind, **fields: Any) -> JsonObject:
        """The CommandResponse, valid by the version's text."""
        data: JsonObject = data_of(self.ask(kind, **fields))
        assert validate(self.version.models[ObjectKind.COMMAND_RESPONSE], data) == data
        return data


@pytest.fixture
def world(db: Database, loop: Loop, version: OcpiVersion) -> Iterator[World]:
    face = CommandFace(db, loop, CPO_OCPI_VERSIONS=ALL)
    yield World(face, version)
    face.close()


def test_a_session_is_started_for_the_peers_own_card(world: World) -> None:
    place = {"location_id": "SITE-1", "evse_uid": "CP-001"}
    answer = world.answer(ObjectKind.START_SESSION, token=token(), **place)
    assert answer["result"] == "ACCEPTED"
    (command,) = world.face.central.documents("START_SESSION")
    assert command["content"]["token"]["party_id"] == "TNM"
    assert command["content"]["token"]["contract_id"] == "C-CARD-1"
    assert command["delivery"]["version"] == world.version.number


def test_what_is_not_known_is_said_in_the_versions_words(world: World) -> None:
    nowhere = world.ask(ObjectKind.START_SESSION, token=token(), location_id="NOPE")
    assert_refused(nowhere, 2003)
    answer = world.answer(ObjectKind.STOP_SESSION, session_id="NOPE")
    assert answer["result"] == "UNKNOWN_SESSION"


def test_a_reservation_has_the_versions_kind_of_number(world: World) -> None:
    world.answer(
        ObjectKind.RESERVE_NOW,
        token=token(),
        expiry_date="2099-01-01T00:00:00Z",
        reservation_id="17",
        location_id="SITE-1",
        evse_uid="CP-001",
    )
    (command,) = world.face.central.documents("RESERVE_NOW")
    assert command["content"]["reservation_id"] == "17"


def test_a_wrong_command_is_refused(world: World) -> None:
    answer = world.emsp.side.post("commands/START_SESSION", json={"location_id": "SITE-1"})
    assert_refused(answer, 2001)
