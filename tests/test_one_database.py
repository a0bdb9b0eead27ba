"""The one database is empty before a test, whoever wrote the one before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db_interface.database import Database
from tests import forks
from tests.conftest import Loop
from tests.one_database import emptied

WRITES = """
import os
from pymongo import MongoClient
MongoClient(os.environ["STORE"]).get_default_database()["schema"].insert_one({"_id": "mine"})
"""


def started(directory: Path, store: str) -> None:
    subprocess.run([sys.executable, "-c", WRITES], env={**os.environ, "STORE": store}, check=True)


def forked(directory: Path, store: str) -> None:
    (directory / "writes.py").write_text(WRITES)
    done = forks.ran("writes", cwd=directory, env={"STORE": store}, timeout_s=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("run", [started, forked])
def test_what_a_process_has_written_is_gone(
    run: object, db: Database, own_url: str, loop: Loop, tmp_path: Path
) -> None:
    async def found() -> object:
        return await db["schema"].find_one({})

    assert callable(run)
    run(tmp_path, own_url)
    assert loop.run(found()) == {"_id": "mine"}
    emptied(db)
    assert loop.run(found()) is None
