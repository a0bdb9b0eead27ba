"""Open data stands beside OCPI in the product where the operator wants it, and nowhere else."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.doors import Doors, ask
from tests.domain.open_data.test_kept_document import World

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
