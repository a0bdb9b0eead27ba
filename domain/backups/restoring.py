"""`restore`: a store out of a backup. The file is read to its end before anything is touched; until
everything is back no server works on the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from db_interface.backup_file import BackupReader, BackupUnusable, Written
from db_interface.interface import DbInterface
from db_interface.snapshot import documents_in, drop_all_but, holds_nothing_but, put_back
from domain.backups.keys import Keys
from domain.backups.newest import Renewed, renew
from domain.platform_facts import note_restored
from domain.upgrades import schema_version
from domain.upgrades.schema_version import SCHEMA, Schema
from domain.upgrades.steps import STEPS
from domain.upgrades.upgrade import make_ready


class RestoreRefused(Exception):
    """Nothing was touched; why, and what to do, in one line."""


@dataclass(frozen=True)
class Restored:
    at: datetime
    """What came after it is lost."""
    schema: int | None
    """as it was in the backup; the store is upgraded now"""
    written: Written
    renewed: Renewed


async def restore(
    store: DbInterface,
    keys: Keys,
    path: Path,
    *,
    replace: bool = False,
    with_other_keys: bool = False,
) -> Restored:
    """Put everything back, and bring it to this version.

    `replace`: what the store holds now goes. `with_other_keys`: peers and charge points have to
    register again. Raises RestoreRefused, BackupUnusable.
    """
    db = store.db
    with BackupReader(path) as reader:
        manifest = reader.manifest
        _check_version(path, manifest.get("schema"))
        lacking = keys.lacking(manifest)
        if lacking and not with_other_keys:
            raise RestoreRefused(
                f"the backup was made with another {lacking[0]}: put that one in place first "
                "(without it tokens do not open: --other-keys)"
            )
        written = reader.check()
    if not replace and not await holds_nothing_but(db, (SCHEMA.name,)):
        raise RestoreRefused("the store is not empty: what it holds would be lost (--force)")
    await schema_version.mark_restoring(db)
    await drop_all_but(db, (SCHEMA.name,))
    schema: Schema | None = None
    with BackupReader(path) as reader:
        for collection, documents in reader.batches():
            if collection == SCHEMA.name:
                schema = cast(Schema, documents_in(documents)[0])
            else:
                await put_back(db, collection, documents)
    await schema_version.restored(db, schema)
    await make_ready(store)
    await note_restored(db)
    renewed = await renew(store)
    return Restored(manifest["at"], manifest.get("schema"), written, renewed)


def _check_version(path: Path, schema: int | None) -> None:
    if schema is not None and schema > len(STEPS):
        raise BackupUnusable(
            f"{path}: is of a later version (schema {schema}, this software knows {len(STEPS)})"
        )
