"""The server that anybody's uvicorn starts: what cannot be is said in a line, and nothing runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from db_interface.database import Database
from tests import forks
from tests.conftest import Loop
from tests.cpo_app.doors import Doors, ask, basic


@pytest.mark.processes
def test_a_setting_that_cannot_be_ends_the_start(tmp_path: Path) -> None:
    ended = forks.ran(
        *("uvicorn", "cpo_app.main:app", "--port", "0"),
        cwd=tmp_path,
        env={**os.environ, "COUNTRY_CODE": "GERMANY"},
        timeout_s=60,
    )
    assert ended.returncode == 3
    assert "cpo: COUNTRY_CODE: 'GERMANY' is not a country code of two letters" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_pages_and_lists_go_compressed_to_who_takes_that(db: Database, loop: Loop) -> None:
    main = Doors.on(db).main
    for path in ("/", "/ocpi/openapi.json", "/api/v1/settings"):
        for said, got in (("gzip", "gzip"), ("identity", None)):
            headers = {**basic(), "Accept-Encoding": said}
            answer = ask(loop, main, "GET", path, headers=headers)
            assert (answer.status_code, answer.headers.get("content-encoding")) == (200, got)
            assert len(answer.content) > 1000
