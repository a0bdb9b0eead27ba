"""Open data stands beside OCPI in the product where the operator wants it, and nowhere else."""

from __future__ import annotations

import asyncio

import pytest

from cpo_app.open_data.room import OpenData
from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.doors import Doors, ask
from tests.domain.open_data.test_kept_document import World
from tests.domain.schemas.samples import evse
from tests.settings_of import settings_of

PATH = "/open-data/ocpi/2.2.1/locations"


@pytest.mark.parametrize(("on", "status"), [(True, 200), (False, 404)])
def test_it_is_there_where_it_is_switched_on(
    db: Database, loop: Loop, on: bool, status: int
) -> None:
    World(db, loop).publish_location("LOC1")
    doors = Doors.on(db, CPO_PARTIES="NL/EVC=Ours", CPO_OPEN_DATA=on)
    answers = [ask(loop, doors.main, method, PATH) for method in ("GET", "HEAD")]
    assert [answer.status_code for answer in answers] == [status, status]
    assert ("LOC1" in answers[0].text) is on
    assert answers[1].content == b""
    # OCPI's own door asks for a token as ever.
    assert ask(loop, doors.main, "GET", "/ocpi/cpo/2.2.1/locations").status_code == 401


def test_all_documents_are_made_when_a_server_has_started(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(db, loop)
    world.publish_location("LOC1", evses=[evse()])
    made = asyncio.Event()
    prepare = OpenData.prepare

    async def prepared(self: OpenData) -> None:
        await prepare(self)
        made.set()

    monkeypatch.setattr(OpenData, "prepare", prepared)
    room = OpenData(settings_of(CPO_PARTIES="NL/EVC=Ours", CPO_OPEN_DATA=True), world.store)

    async def start() -> None:
        room.start()
        await asyncio.wait_for(made.wait(), 20)

    loop.run(start())

    def never(*_: object) -> None:
        raise AssertionError("it was not made yet")

    monkeypatch.setattr("domain.open_data.kept_document.first_parts", never)
    paths = [route.path for route in room.routes if route.path.endswith(("json", "xml"))]
    answers = [ask(loop, room, "GET", path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * 8
    loop.run(room.stop())
