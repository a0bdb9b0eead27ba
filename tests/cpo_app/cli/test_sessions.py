"""`cpo sessions` as an operator runs it."""

from __future__ import annotations

import getpass
import json

from db_interface.database import Database
from domain.sessions.session_rules import Rules
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.sessions.worlds import World, tariff


def test_a_held_session_is_listed_looked_at_and_billed_by_hand(
    db: Database, loop: Loop, cpo: Cpo
) -> None:
    world = World(db, loop, tariff(), rules=Rules())
    session_id = world.open()
    world.begin(session_id)
    world.end(session_id, 60, 900_000.0)

    shown = json.loads(cpo("sessions", "trouble", "--json").out)
    [entry] = shown["entries"]
    assert (entry["kind"], entry["session_id"]) == ("held", session_id)
    assert shown["unbilled_wh"] == 900_000.0
    assert session_id in cpo("sessions", "trouble").out
    [row] = json.loads(cpo("sessions", "list", "--state", "held", "--json").out)
    assert row["held"]["why"] == entry["why"]
    assert json.loads(cpo("sessions", "list", "--state", "suspect", "--json").out) == []
    table = cpo("sessions", "list").out
    assert session_id in table
    assert " 900 " in table
    assert row["token"]["uid"] in table

    ended = cpo("sessions", "end", session_id, "--energy", "0.3")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["by_hand"][0]["by"] == getpass.getuser()
    assert json.loads(cpo("sessions", "show", session_id).out)["energy_wh"] == 300.0
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.3]
    assert json.loads(cpo("sessions", "trouble", "--json").out) == {
        "entries": [],
        "unbilled_wh": 0.0,
    }

    for arguments, said in (
        (("release", session_id), "it is not held"),
        (("show", "nobody's"), "no such session"),
        (("end", session_id, "--at", "noon"), "at: not a timestamp"),
    ):
        refused = cpo("sessions", *arguments)
        assert refused.code == 1
        assert said in refused.err
        assert refused.err.count("\n") == 1
