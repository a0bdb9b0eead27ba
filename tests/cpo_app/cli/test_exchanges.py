"""`cpo exchanges` as a person or a script runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db_interface.database import Database
from domain.exchanges.document import Bounds
from domain.exchanges.recorder import Recorder, Rules
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.exchanges.samples import seen


@pytest.fixture
def recorded(cpo: Cpo, db: Database, loop: Loop) -> Cpo:
    recorder = Recorder(db, Rules(True, Bounds(16_000, 1_000)), str)
    for n in range(3):
        recorder.take(
            seen(
                url=f"/ocpi/cpo/2.2.1/locations/L{n}",
                status=404 if n == 1 else 200,
                response={"status_code": 2003 if n == 1 else 1000},
                request_headers=[(b"user-agent", b"theirs/1.0")],
                correlation_id=f"c{n}",
            )
        )
    loop.run(recorder.write())
    return cpo


def test_exchanges_are_looked_for_and_shown(recorded: Cpo) -> None:
    rows = recorded("exchanges", "--json").json()
    assert [row["correlation_id"] for row in rows] == ["c2", "c1", "c0"]
    table = recorded("exchanges", "--status", "404").out
    assert "/locations/L1" in table and "/locations/L2" not in table
    (found,) = recorded("exchanges", "--object", "l1", "--peer", "peer-1", "--json").json()
    shown = recorded("exchanges", "show", found["id"]).out
    assert "user-agent: theirs/1.0" in shown
    assert '"status_code": 2003' in shown
    assert recorded("exchanges", "show", found["id"], "--json").json()["status"] == 404


def test_what_cannot_be_looked_for_is_one_clear_line(recorded: Cpo) -> None:
    for arguments, said in (
        (("--status", "200"), "--status: is failed, refused, an HTTP status"),
        (("--module", "none"), "--module: is none of"),
        (("--since", "yesterday"), "--since yesterday"),
        (("show", "0"), "0: there is no such exchange"),
        (("way", "0"), "0: there is no such command"),
    ):
        refused = recorded("exchanges", *arguments)
        assert refused.code == 1
        assert said in refused.err
        assert "Traceback" not in refused.err


def test_they_are_exported_for_a_partner(recorded: Cpo, tmp_path: Path) -> None:
    file = tmp_path / "peer.har"
    done = recorded("exchanges", "export", "--har", str(file), "--module", "locations")
    assert done.code == 0, done.err
    urls = [entry["request"]["url"] for entry in json.loads(file.read_text())["log"]["entries"]]
    assert [url.rpartition("/")[2] for url in urls] == ["L0", "L1", "L2"]
    assert "3 exchanges" in done.err
