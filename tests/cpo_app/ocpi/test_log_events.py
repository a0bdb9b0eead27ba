"""The log says who did what: a line each, with its ids as keys of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from auth.credentials_header import encoded
from cpo_app import logs
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.errors import OcpiError
from domain.imports.file_import import Importing
from domain.imports.report import Report
from domain.imports.tariff_import import read_tariff
from domain.log_events import event
from domain.outbox.deliveries import keep_proof
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace, token
from tests.cpo_app.ocpi.conftest import Face
from tests.domain.schemas.samples import tariff
from tests.domain.sessions.worlds import World, element, reading
from tests.domain.sessions.worlds import tariff as own_tariff
from tests.peers.emsp import Emsp


class Said:
    """What was logged of events since."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def of(self, name: str) -> list[dict[str, Any]]:
        return [
            {**vars(record)["facts"], "message": record.getMessage()}
            for record in self._caplog.records
            if getattr(record, "event", None) == name
        ]

    def only(self, name: str) -> dict[str, Any]:
        (one,) = self.of(name)
        return one


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    caplog.set_level(logging.INFO)
    return Said(caplog)


@pytest.fixture
def commands(db: Database, loop: Loop) -> Iterator[CommandFace]:
    world = CommandFace(db, loop)
    yield world
    world.close()


def test_a_peer_that_connects(face: Face, emsp: Emsp, said: Said) -> None:
    peer_id, token_a = face.invite("eMSP One")
    headers = {"Authorization": encoded(token_a)}
    httpx.post(face.module("credentials"), headers=headers, json=emsp.credentials())
    one = said.only("peer.connected")
    assert (one["peer_id"], one["name"], one["version"]) == (peer_id, "eMSP One", "2.2.1")
    assert one["parties"] in one["message"]
    assert one["message"].startswith(f"peer {peer_id} (eMSP One) has connected: ")


def test_a_handshake_that_fails(face: Face, emsp: Emsp, said: Said) -> None:
    peer_id, token_a = face.invite()
    headers = {"Authorization": encoded(token_a)}
    body = {**emsp.credentials(), "url": f"{emsp.base_url}/nothing-here"}
    httpx.post(face.module("credentials"), headers=headers, json=body)
    theirs = said.only("peer.handshake_failed")
    assert theirs["peer_id"] == peer_id
    assert "Unable to use your API" in theirs["why"]
    with pytest.raises(OcpiError):
        face.loop.run(face.joining.connect(f"{emsp.base_url}/nothing-here", "token-a-000001"))
    assert len(said.of("peer.handshake_failed")) == 2


def test_a_stranger(face: Face, said: Said) -> None:
    httpx.get(f"{face.ocpi}/versions", headers={"Authorization": "Token nobody-knows-it"})
    assert said.only("ocpi.stranger_refused")["status"] == 401


def test_a_command_from_the_request_to_its_result(commands: CommandFace, said: Said) -> None:
    emsp = commands.emsp()
    emsp.start(token=token())
    commands.settle()
    accepted = said.only("command.accepted")
    assert (accepted["kind"], accepted["cp_id"]) == ("START_SESSION", "CP-001")
    assert accepted["peer_id"] == emsp.side.peer_id
    assert said.only("command.decided")["result"] == "ACCEPTED"
    assert accepted["command_id"] in said.only("command.result_delivered")["message"]


def test_a_session_and_its_cdr(db: Database, loop: Loop, said: Said) -> None:
    world = World(db, loop, own_tariff("T1", element("ENERGY", 0.25)))
    session_id = world.open()
    world.begin(session_id)
    started = said.only("session.started")
    assert (started["session_id"], started["cp_id"]) == (session_id, "CP-001")
    world.meter(session_id, reading(3600, 8000))
    world.end(session_id, 3600, 8000)
    ended, cdr = said.only("session.ended"), said.only("cdr.made")
    assert (ended["session_id"], ended["kwh"]) == (session_id, 8.0)
    assert ended["status"] == "COMPLETED"
    assert cdr["session_id"] == session_id
    assert (cdr["kwh"], cdr["currency"]) == (8.0, ended["currency"])
    assert float(ended["cost"]) == cdr["cost"] == 2.0
    assert "8.000 kWh" in ended["message"]


class Mark:
    id, peer_id, module, key = "peer-1/cdrs/nl/evc/c1", "peer-1", "cdrs", "nl/evc/c1"


def test_a_cdr_that_is_delivered_says_so_once(db: Database, loop: Loop, said: Said) -> None:
    for _ in range(2):
        loop.run(keep_proof(db, Mark(), "C1", None, db.now()))
    one = said.only("cdr.delivered")
    assert (one["cdr_id"], one["peer_id"]) == ("C1", "peer-1")


def test_an_import(db: Database, loop: Loop, said: Said) -> None:
    report = Report()
    importing = Importing("tariffs", read_tariff, frozenset({"de*all"}))
    objects = list(importing.understood([tariff(id="T1"), tariff(id="T2")], report))
    assert len(objects) == 2, report
    loop.run(importing.take_over(DbInterface(db), objects, report))
    one = said.only("objects.imported")
    assert one["module"] == "tariffs"
    assert one["message"].startswith("2 tariffs imported by ")


def test_what_is_undone_has_said_nothing(db: Database, loop: Loop, said: Said) -> None:
    async def work(tx: Tx) -> None:
        tx.say(event(logging.getLogger("cpo"), "test.event", n=1), "it is done")
        raise OcpiError("no")

    with pytest.raises(OcpiError):
        loop.run(DbInterface(db).transact(work))
    assert said.of("test.event") == []


def test_in_json_the_ids_are_keys_and_the_time_is_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.set_up("INFO", "json")
        event(logging.getLogger("cpo.sessions"), "session.ended", session_id="S1", kwh=8.2)(
            "session %s ended", "S1"
        )
        (line,) = capsys.readouterr().err.splitlines()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    row = json.loads(line)
    assert (row["event"], row["session_id"], row["kwh"]) == ("session.ended", "S1", 8.2)
    assert row["message"] == "session S1 ended"
    assert row["at"].endswith("Z") and len(row["at"]) >= len("2025-05-01T12:00:00Z")
