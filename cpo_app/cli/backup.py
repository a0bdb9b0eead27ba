"""`cpo backup` and `cpo restore`: the whole store in one file, and out of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cpo_app import logs
from cpo_app.bootstrap import Prepared, prepare
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir, settings_for
from cpo_app.cli.output import note, print_json
from cpo_app.cli.with_backend import whoever_types
from db_interface.backup_file import BackupUnusable
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.snapshot import StoreWasWritten, keeping_the_past
from domain.audit.chain import seal
from domain.backups import last_backup
from domain.backups.backup import BackedUp, BackupFailed, back_up
from domain.backups.keys import Keys
from domain.backups.restoring import Restored, RestoreRefused
from domain.backups.restoring import restore as put_back
from domain.operators.actor import acting_as
from domain.times import format_datetime
from domain.upgrades.steps import STEPS

T = TypeVar("T")

PAST_S = 4 * 3600
"""For so long our own server keeps the past meanwhile, so that any backup has its time."""


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Must not be there yet.")],
    data_dir: DataDir = None,
) -> None:
    """Write everything that the store holds at one moment into FILE; servers may go on."""
    if file.exists():
        raise CliError(f"{file}: is there already")
    part = file.with_name(file.name + ".part")

    async def work(ground: Prepared, db: Database) -> BackedUp:
        past_s = PAST_S if ground.settings.CPO_EMBEDDED else None
        try:
            with os.fdopen(_opened(part), "wb") as out:
                async with keeping_the_past(db, past_s):
                    done = await back_up(db, _keys(ground), out, version("ocpi-cpo-backend"))
                out.flush()
                os.fsync(out.fileno())
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
        await _keep_that_it_was_made(db, done, file.stat().st_size)
        _name_the_keys(ground)
        return done

    try:
        done = _on_store(work, data_dir, must_own=False)
    except (BackupFailed, OSError) as error:
        raise CliError(str(error)) from error
    print_json(
        {
            "file": str(file),
            "bytes": file.stat().st_size,
            "at": format_datetime(done.at),
            "schema": done.schema,
            "sha256": done.sha256,
            "documents": dict(sorted(done.documents.items())),
        }
    )


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As cpo backup has written it.")],
    force: Annotated[
        bool, typer.Option("--force", help="The store is not empty: what it holds goes.")
    ] = False,
    other_keys: Annotated[
        bool,
        typer.Option(
            "--other-keys", help="The keys are lost: peers and charge points register again."
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup back, into a store on which no server runs, and bring it to this version."""

    async def work(ground: Prepared, db: Database) -> Restored:
        return await put_back(
            DbInterface(db), _keys(ground), file, replace=force, with_other_keys=other_keys
        )

    try:
        done = _on_store(work, data_dir, must_own=True)
    except (RestoreRefused, BackupUnusable, StoreWasWritten) as error:
        raise CliError(str(error)) from error
    print_json(
        {
            "at": format_datetime(done.at),
            "schema": done.schema,
            "documents": dict(sorted(done.written.documents.items())),
            "renewed": vars(done.renewed),
        }
    )
    note(
        f"what came after {format_datetime(done.at)} is lost here; registers, charge points and "
        "peers still tell of it: docs/operations.md says how"
    )


def _on_store(
    work: Callable[[Prepared, Database], Awaitable[T]], data_dir: Path | None, *, must_own: bool
) -> T:
    """Not as other commands: nothing is upgraded, and no index is made."""
    settings = settings_for(data_dir)
    logs.set_up("WARNING", settings.CPO_LOG_FORMAT)

    async def run() -> T:
        db = ground.database()
        try:
            await db.ping()
            return await work(ground, db)
        finally:
            db.close()

    with prepare(settings, must_own=must_own) as ground:
        return asyncio.run(run())


async def _keep_that_it_was_made(db: Database, done: BackedUp, size: int) -> None:
    """In the store, for whoever asks how old the latest is; an older store is left as it is."""
    if done.schema != len(STEPS):
        return
    store = DbInterface(db)
    with acting_as(whoever_types()):
        await store.transact(
            lambda tx: last_backup.keep(
                tx,
                at=done.at,
                size=size,
                sha256=done.sha256,
                documents=sum(done.documents.values()),
                software=version("ocpi-cpo-backend"),
            )
        )
        await seal(store)


def _keys(ground: Prepared) -> Keys:
    return Keys(ground.vault(), ground.settings.central_secret)


def _name_the_keys(ground: Prepared) -> None:
    settings = ground.settings
    if settings.CPO_EMBEDDED:
        where = f"the files encryption.key and registry.key in {settings.CPO_DATA_DIR}"
    else:
        where = "CPO_ENCRYPTION_KEY and REGISTRY_SECRET_KEY of this environment"
    note(f"keep these with it, apart: {where}; without them the tokens in it do not open")


def _opened(part: Path) -> int:
    """For this user alone: the file tells who charged where."""
    try:
        return os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise CliError(f"{part}: {error.strerror}") from None
