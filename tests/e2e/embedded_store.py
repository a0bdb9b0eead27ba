"""A look into the embedded store of a running `cpo up`: for what a test polls. A `cpo` command for
each look would start a process each time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo
from tests.conftest import Loop


@contextlib.contextmanager
def store_of(data_dir: Path, loop: Loop) -> Iterator[Database]:
    """The store of the `cpo up` that runs on this directory; ask it inside `loop.run`."""
    url = EmbeddedMongo(data_dir).running_url()
    assert url is not None, "nobody runs a store there"

    async def connect() -> Database:
        return Database.connect(url)

    db = loop.run(connect())
    try:
        yield db
    finally:
        db.close()
