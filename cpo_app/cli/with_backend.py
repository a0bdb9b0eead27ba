"""Running a command on the store as the servers find it: CPO_MONGO_URL, else the embedded one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from cpo_app import logs
from cpo_app.backend import Backend, announced
from cpo_app.bootstrap import prepare
from cpo_app.cli.options import settings_for
from db_interface.interface import DbInterface
from domain.upgrades.upgrade import make_ready

T = TypeVar("T")


def on_backend(
    work: Callable[[Backend], Awaitable[T]], data_dir: Path | None = None, **changed: object
) -> T:
    """Run `work` on the backend of the command's store; raises what `work` raises."""
    settings = settings_for(data_dir, **changed)
    logs.set_up("WARNING", settings.CPO_LOG_FORMAT)

    async def run() -> T:
        db = ground.database()
        try:
            await db.ping()
            await make_ready(DbInterface(db))
            here = await announced(ground.settings, db)
        except BaseException:
            db.close()
            raise
        backend = Backend(here, db, ground.vault())
        try:
            return await work(backend)
        finally:
            await backend.aclose()

    with prepare(settings) as ground:
        return asyncio.run(run())
