"""The tests' one database: where its mongod keeps its files, and how it is emptied between tests.

Emptying deletes only from collections that were written since the last time: a listener on every
client of this process knows them. What other processes write it cannot see: a test that hands the
database to one takes the fixture `store_url`, which says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pymongo import WriteConcern, monitoring

from db_interface.database import Database

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 3 << 30
DROPPED_WITHIN_S = 50.0
_PREFIX = "cpo-tests-"
_WRITES = frozenset({"insert", "update", "findAndModify", "create"})


class Written(monitoring.CommandListener):
    """The collections that this process has written, by database."""

    def __init__(self) -> None:
        self._names: defaultdict[str, set[str]] = defaultdict(set)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _WRITES:
            self.add(event.database_name, event.command[event.command_name])
        elif event.command_name == "profile" and event.command["profile"] > 0:
            self.add(event.database_name, "system.profile")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Was noted when it started."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """May have been carried out all the same."""

    def add(self, database: str, *names: str) -> None:
        self._names[database].update(names)

    def take(self, database: str) -> set[str]:
        return self._names.pop(database, set())


WRITTEN = Written()
monitoring.register(WRITTEN)  # for all clients that are made from now on


async def emptied(db: Database) -> None:
    """Delete every document that was written, keep collections and indexes."""
    names = WRITTEN.take(db.name)
    raw = db.client[db.name]
    try:
        if "system.profile" in names:
            await raw.command("profile", 0)
            await raw.drop_collection("system.profile")
        await asyncio.gather(
            *(
                raw[name].with_options(write_concern=WriteConcern(w=1)).delete_many({})
                for name in names
                if not name.startswith("system.")
            )
        )
    except BaseException:
        WRITTEN.add(db.name, *names)
        raise


async def written_by_others(db: Database) -> None:
    """Other processes had this database: any collection may have been written."""
    WRITTEN.add(db.name, *await db.client[db.name].list_collection_names())


@contextlib.contextmanager
def directory_in_memory(otherwise: Path) -> Iterator[Path]:
    """A directory in /dev/shm while the block runs, so that no write waits for a disk; where
    there is no room, the other one."""
    _remove_leftovers()
    try:
        roomy = shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
    except OSError:
        roomy = False
    if not roomy:
        yield otherwise
        return
    with tempfile.TemporaryDirectory(
        dir=_MEMORY, prefix=_PREFIX, ignore_cleanup_errors=True
    ) as made:
        yield Path(made)


def _remove_leftovers() -> None:
    """Memory that a killed test run still holds: directories whose mongod has no owner."""
    for lock_file in _MEMORY.glob(f"{_PREFIX}*/owner.lock"):
        with contextlib.suppress(OSError), lock_file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_file.parent, ignore_errors=True)
