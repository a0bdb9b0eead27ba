"""`cpo notices`: what is in trouble, who is told, and a test that really arrives."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI, Request

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.notices import deliveries, matters
from domain.notices.gathering import Sighting
from domain.notices.troubles import Kind
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.serving import served

SECRET = "s" * 24


def test_with_nobody_to_tell_it_says_so(cpo: Cpo) -> None:
    listed = cpo("notices", "list")
    assert listed.code == 0 and "set CPO_WEBHOOKS" in listed.err
    tested = cpo("notices", "test")
    assert tested.code == 1 and "nobody is told of trouble" in tested.err


def test_a_test_arrives_and_what_is_in_trouble_is_listed(
    db: Database, loop: Loop, cpo: Cpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, got = FastAPI(), []

    @app.post("/hook")
    async def hook(request: Request) -> None:
        got.append(json.loads(await request.body()))

    @app.post("/broken", status_code=500)
    async def broken() -> None: ...

    sighting = Sighting("disk_low:it", Kind.DISK_LOW, "the disk is full", "", subject="it")
    with served(app, loop) as base:
        monkeypatch.setenv("CPO_WEBHOOKS_PRIVATE", "true")
        monkeypatch.setenv("CPO_WEBHOOKS", f"{base}/hook {SECRET}")
        tested = cpo("notices", "test")
        assert (tested.code, "webhook 127.0.0.1" in tested.out) == (0, True), tested.err
        assert [one["type"] for one in got] == ["notice.test"]
        monkeypatch.setenv("CPO_WEBHOOKS", f"{base}/hook {SECRET}, {base}/broken {SECRET}")
        again = cpo("notices", "test", "--json")
        assert [row["why"] for row in again.json()] == [None, "it answered HTTP 500"]
        assert again.code == 1 and "Not everybody has taken it" in again.err
        loop.run(DbInterface(db).transact(lambda tx: matters.seen(tx, sighting, ["mail"])))
        assert loop.run(deliveries.claim(db, "mail", "a server"))
        shown = cpo("notices", "list")
        assert "the disk is full" in shown.out and "nothing is watched now" in shown.err
        # Told by a server with other settings than this command's.
        assert "mail: takes them; 1 waiting" in shown.err
        listed = cpo("notices", "list", "--json").json()
    assert [row["_id"] for row in listed["open"]] == ["disk_low:it"]
    assert [row["waiting"] for row in listed["targets"]] == [0, 0, 1]
