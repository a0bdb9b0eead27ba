"""The subject of the audit suite: ours, or with OCPI_SUBJECT=library the library alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from py_ocpi.core.enums import Action, ModuleID

from crud.sessions import Sessions
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from domain.schemas import CDR, Location, OcpiModel, Session, Tariff, parse_datetime, validate
from domain.visibility import audience_of_token_holder
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import Face, running_face
from tests.one_database import emptied
from tests.peers.subjects import PeerOf, Subject
from tests.serving import free_port

_MODELS: dict[str, type[OcpiModel]] = {
    "locations": Location,
    "sessions": Session,
    "cdrs": CDR,
    "tariffs": Tariff,
}


class ChargePointsThatAccept:
    """Commands and charging profiles by the library's Crud contract: all are accepted."""

    async def do(self, action: Action, **_: Any) -> dict[str, Any]:
        return {"result": "ACCEPTED", "timeout": 30, "message": None}


class SessionsThatTakePreferences(Sessions):
    async def update(self, data: Mapping[str, Any], session_id: str, **named: Any) -> str | None:
        session = await self.get(session_id, reader=named["reader"], owners=named["owners"])
        return None if session is None else "ACCEPTED"


class Ours(Subject):
    """The product: our OCPI face on a real MongoDB."""

    name = "ours"

    def __init__(self, face: Face, db: Database) -> None:
        self._face = face
        self._db = db
        self.base_url = face.base_url
        self._tokens: dict[tuple[str, ...], str] = {}

    def keep(self, module: str, *objects: Mapping[str, Any]) -> None:
        self._face.keep(module, *(_owned(module, row) for row in objects))

    def spoil(self, module: str, object_id: str) -> None:
        async def damage() -> None:
            await self._db[module].update_one({"lid": object_id.lower()}, {"$unset": {"raw": ""}})

        self._face.loop.run(damage())

    def invite(self) -> str:
        return self._face.invite()[1]

    def admit(self, *parties: str) -> str:
        # A party has one holder: who asks again as that party is the same peer.
        if parties not in self._tokens:
            self._tokens[parties] = self._face.connected(*parties).token
        return self._tokens[parties]

    def hub(self) -> PeerOf:
        return PeerOf(self, self._face.connected("NL*HUB", role="HUB").token)

    def clear(self) -> None:
        self._tokens.clear()
        emptied(self._db)
        self._face.authenticator.forget()


class LibraryAlone(Subject):
    """extrawest-ocpi without us, in a process of its own."""

    name = "library"

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def keep(self, module: str, *objects: Mapping[str, Any]) -> None:
        self._control(f"keep/{module}", json=[dict(row) for row in objects])

    def spoil(self, module: str, object_id: str) -> None:
        self._control(f"spoil/{module}/{object_id}")

    def invite(self) -> str:
        return self._control("invite")

    def admit(self, *parties: str) -> str:
        return self._control("admit")

    def clear(self) -> None:
        self._control("clear")

    def _control(self, what: str, **options: Any) -> Any:
        response = httpx.post(f"{self.base_url}/control/{what}", timeout=10, **options)
        response.raise_for_status()
        return response.json()


def _owned(module: str, row: Mapping[str, Any]) -> OwnedObject:
    """As the maker of such an object keeps it: checked against the text's table first."""
    fields = validate(_MODELS[module], dict(row))
    if module == "locations":
        return owned_location(fields)
    return OwnedObject(
        country_code=fields["country_code"],
        party_id=fields["party_id"],
        key_parts=(fields["id"],),
        fields=fields,
        last_updated=parse_datetime(fields["last_updated"]),
        audience="*" if module == "tariffs" else audience_of_token_holder(fields["cdr_token"]),
    )


@contextlib.contextmanager
def library_alone() -> Iterator[Subject]:
    """Run the library's CPO while the block runs."""
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.peers.library_cpo", str(port)], env=environment
    )
    try:
        base_url = f"http://127.0.0.1:{port}"
        _wait_for(base_url, process)
        yield LibraryAlone(base_url)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(base_url: str, process: subprocess.Popen[bytes]) -> None:
    started = datetime.now(timezone.utc)
    while True:
        try:
            httpx.post(f"{base_url}/control/clear", timeout=5)
            return
        except httpx.TransportError:
            assert process.poll() is None, "the library's CPO did not start"
            assert (datetime.now(timezone.utc) - started).total_seconds() < 30


@pytest.fixture(scope="session")
def _subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if os.environ.get("OCPI_SUBJECT") == "library":
        with library_alone() as subject:
            yield subject
        return
    db: Database = request.getfixturevalue("_shared")
    loop: Loop = request.getfixturevalue("loop")
    modules = {
        ModuleID.commands: ChargePointsThatAccept(),
        ModuleID.charging_profile: ChargePointsThatAccept(),
        ModuleID.sessions: SessionsThatTakePreferences(DbInterface(db)),
    }
    parties = {"COUNTRY_CODE": "BE", "PARTY_ID": "BEC"}
    with running_face(db, loop, modules, **parties) as face:
        yield Ours(face, db)


@pytest.fixture
def subject(_subject: Subject) -> Subject:
    """A CPO that hosts BE*BEC and knows nothing yet."""
    _subject.clear()
    return _subject
