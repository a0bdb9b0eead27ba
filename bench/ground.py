"""The store that is measured on: the mongod of CPO_MONGO_URL, else a private one in a directory
that is gone afterwards; always a database of the bench's own, dropped at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymongo

from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo

DROPPED_WITHIN_S = 120.0


@dataclass(frozen=True)
class Ground:
    mongo_url: str
    database: str

    @property
    def url(self) -> str:
        """For processes that connect on their own: it names the database."""
        address, _, options = self.mongo_url.partition("?")
        head, _, _ = address.rpartition("/") if "/" in address[10:] else (address, "", "")
        return f"{head}/{self.database}" + (f"?{options}" if options else "")

    def connect(self) -> Database:
        """Call inside the event loop that is to use it."""
        return Database.connect(self.mongo_url, self.database)


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    """A mongod and an empty database while the block runs."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    given = os.environ.get("CPO_MONGO_URL")
    if not given:
        with tempfile.TemporaryDirectory(prefix="cpo-bench-") as directory:
            server = EmbeddedMongo(Path(directory))
            try:
                yield Ground(server.start(), name)
            finally:
                server.stop()
        return
    try:
        yield Ground(given, name)
    finally:
        _drop(given, name)


def _drop(url: str, name: str) -> None:
    async def drop() -> None:
        db = Database.connect(url, name)
        # It waits for all that still writes there: longer than any query of ours may take.
        with pymongo.timeout(DROPPED_WITHIN_S):
            await db.client.drop_database(name)
        db.close()

    asyncio.run(drop())
