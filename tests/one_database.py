"""The tests' one database: where its mongod keeps its files, and how it is emptied between tests.

Emptying deletes only from collections that were written since the last time: a listener on every
client of this process knows them. What other processes write it cannot see: once one was started,
any collection may have been written.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pymongo import MongoClient, WriteConcern, monitoring
from pymongo.database import Database as SyncDatabase

from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.json_data import JsonObject
from domain.upgrades import upgrade

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 3 << 30
DROPPED_WITHIN_S = 50.0
_PREFIX = "cpo-tests-"
NAME = "test_shared"
ANY = "*"
"""A collection that nobody has: which were written is not known."""
_WRITES = frozenset({"insert", "update", "findAndModify", "create"})
_DROPS = frozenset({"drop", "dropIndexes", "dropDatabase"})


class Written(monitoring.CommandListener):
    """The collections that this process has written, by database."""

    def __init__(self) -> None:
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self.has_all_indexes = False
        """The one database; until something of it is dropped."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in _WRITES:
            self.add(event.database_name, event.command[event.command_name])
        elif event.command_name == "profile" and event.command["profile"] > 0:
            self.add(event.database_name, "system.profile")
        elif event.command_name in _DROPS and event.database_name == NAME:
            self.has_all_indexes = False

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


async def indexes_made(db: Database) -> None:
    """What every process does first, and every command: here it is asked for once."""
    if db.name == NAME and WRITTEN.has_all_indexes:
        return
    await ensure_indexes(db)
    if db.name == NAME:
        WRITTEN.has_all_indexes = True


upgrade.ensure_indexes = indexes_made  # type: ignore[attr-defined]


def emptied(db: Database) -> None:
    """Delete every document that was written, keep collections and indexes."""
    store = _without_waiting_its_turn(db)
    names = WRITTEN.take(db.name)
    try:
        if ANY in names:
            names = (names | _filled(store)) - {ANY}
        if "system.profile" in names:
            store.command("profile", 0)
            store.drop_collection("system.profile")
        for name in names:
            if not name.startswith("system."):
                store[name].delete_many({})
    except BaseException:
        WRITTEN.add(db.name, *names)
        raise


def written_by_others() -> None:
    """Other processes may have this database, and any collection be written."""
    WRITTEN.add(NAME, ANY)


def _audited(event: str, _: object) -> None:
    if event == "subprocess.Popen":
        written_by_others()


sys.addaudithook(_audited)


def _without_waiting_its_turn(db: Database) -> SyncDatabase[JsonObject]:
    """The driver below Motor, asked in this thread: a tenth of the effort for each command."""
    client: MongoClient[JsonObject] = db.client.delegate
    return client.get_database(db.name, write_concern=WriteConcern(w=1))


def _filled(store: SyncDatabase[JsonObject]) -> set[str]:
    """The collections that are not empty, by one query."""

    def look(name: str) -> list[JsonObject]:
        return [{"$limit": 1}, {"$project": {"_id": 0, "name": {"$literal": name}}}]

    names = [name for name in store.list_collection_names() if not name.startswith("system.")]
    if not names:
        return set()
    others = [{"$unionWith": {"coll": name, "pipeline": look(name)}} for name in names[1:]]
    return {row["name"] for row in store[names[0]].aggregate([*look(names[0]), *others])}


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
