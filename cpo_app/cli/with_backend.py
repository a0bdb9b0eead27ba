"""Running a command on the store as the servers find it: CPO_MONGO_URL, else the embedded one."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from cpo_app import logs
from cpo_app.backend import Backend, announced
from cpo_app.bootstrap import prepare
from cpo_app.cli import remote
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import settings_for
from cpo_app.log_ids import bound
from db_interface.interface import DbInterface
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from domain.upgrades.upgrade import make_ready

T = TypeVar("T")


def on_backend(
    work: Callable[[Backend], Awaitable[T]], data_dir: Path | None = None, **changed: object
) -> T:
    """Run `work` on the backend of the command's store; raises what `work` raises."""
    if remote.server() is not None:
        raise CliError("this command needs the store: run it there, without --server (CPO_SERVER)")
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
            with acting_as(whoever_types()), bound(correlation_id=str(uuid.uuid4())):
                return await work(backend)
        finally:
            await backend.aclose()

    with prepare(settings) as ground:
        return asyncio.run(run())


def whoever_types() -> Actor:
    """The user of this shell: whoever can read the store's login may do everything."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown user"
    return Actor(ActorKind.COMMAND_LINE, name, Role.ADMIN)
