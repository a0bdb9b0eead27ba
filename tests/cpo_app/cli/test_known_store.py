"""On a store that a later version has changed nothing starts, and nothing is done."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from domain.upgrades import schema_version
from domain.upgrades.steps import STEPS
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo

LATER = len(STEPS) + 1


@pytest.mark.parametrize("command", [("serve",), ("registry",), ("peers", "list")])
def test_a_later_store_is_refused_in_one_line(
    db: Database, loop: Loop, cpo: Cpo, command: tuple[str, ...]
) -> None:
    loop.run(schema_version.begin_at(db, LATER))
    ran = cpo(*command)
    assert ran.code == 1
    assert ran.out == ""
    [line] = ran.err.splitlines()[-1:]
    assert line.startswith(f"cpo: the store is of a later version (schema {LATER}, this software")
    assert "Traceback" not in ran.err
