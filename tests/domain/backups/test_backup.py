"""A backup is of one moment and proves to be whole; a restore brings all of it back, or nothing."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
import pytest

from db_interface.backup_file import BackupReader, BackupUnusable, BackupWriter
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.snapshot import MomentLost, MomentUnreadable, batches_of
from domain.backups import backup
from domain.backups.backup import BackupFailed, back_up
from domain.backups.keys import Keys
from domain.backups.restoring import Restored, RestoreRefused, restore
from domain.platform_facts import restored_at
from domain.secrets import Vault
from domain.upgrades import schema_version, upgrade
from domain.upgrades.schema_version import StoreHalfRestored
from domain.upgrades.steps import STEPS
from domain.upgrades.upgrade import make_ready, refuse_newer
from tests.conftest import Loop

KEYS = Keys(Vault("k" * 40), "r" * 40)


@dataclass
class House:
    """A store with something in it, and a new one to restore into."""

    loop: Loop
    db: Database
    new: Database
    path: Path

    def back_up(self) -> Path:
        async def work() -> None:
            with self.path.open("wb") as file:
                await back_up(self.db, KEYS, file, "1.0")

        self.loop.run(work())
        return self.path

    def restore(self, keys: Keys = KEYS, **how: bool) -> Restored:
        return self.loop.run(restore(DbInterface(self.new), keys, self.path, **how))

    def all_of(self, db: Database) -> dict[str, list[Any]]:
        async def read() -> dict[str, list[Any]]:
            names = await db.client[db.name].list_collection_names()
            # But for the note that it was restored.
            rows = {
                name: await db[name].find({"_id": {"$ne": "restored"}}).sort("_id", 1).to_list(None)
                for name in names
                if name not in ("schema", "system.views")
            }
            return {name: found for name, found in rows.items() if found}

        return self.loop.run(read())


@pytest.fixture
def with_indexes() -> bool:
    """Of the new store: to make them takes longer than all else, and one test looks at them."""
    return False


@pytest.fixture
def house(
    db: Database,
    fresh_url: str,
    loop: Loop,
    tmp_path: Path,
    with_indexes: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    async def fill() -> Database:
        await make_ready(DbInterface(db))
        await db["charging_sessions"].insert_many(
            [{"_id": f"S{n}", "cp_id": f"CP-{n}", "connector_id": "1"} for n in range(2500)]
        )
        odd = {"_id": bson.ObjectId(), "big": bson.Int64(1), "decimal": bson.Decimal128("0.10")}
        await db["commands"].insert_many([odd, {"_id": "c1", "bytes": b"\x00\xff", "none": None}])
        return Database.connect(fresh_url)

    async def none_made(db: Database) -> None:
        """Nobody looks anything up there."""

    new = loop.run(fill())
    if not with_indexes:
        monkeypatch.setattr(upgrade, "ensure_indexes", none_made)
    yield House(loop, db, new, tmp_path / "backup")
    new.close()


@pytest.mark.parametrize("with_indexes", [True])
def test_everything_comes_back_as_it_was(house: House) -> None:
    async def indexes(db: Database) -> object:
        return await db["charging_sessions"].index_information()

    house.back_up()
    restored = house.restore()
    assert house.all_of(house.new) == house.all_of(house.db)
    here, there = (house.loop.run(indexes(db)) for db in (house.db, house.new))
    assert here == there
    assert house.loop.run(restored_at(house.new)) is not None
    assert house.loop.run(restored_at(house.db)) is None
    assert restored.schema == len(STEPS)
    assert dict(restored.written.documents)["charging_sessions"] == 2500
    assert house.loop.run(refuse_newer(house.new)) == len(STEPS)


def test_a_backup_is_of_one_moment_while_others_write(house: House) -> None:
    """Two counters that are always equal, raised in transactions, are equal in the backup."""

    async def work() -> dict[str, Any]:
        db, done, began = house.db, asyncio.Event(), asyncio.Event()
        for name in ("counts", "platform"):
            await db[name].insert_one({"_id": "pair", "n": 0})

        async def raise_both() -> None:
            while not done.is_set():

                async def both(tx: Any) -> None:
                    for name in ("counts", "platform"):
                        await db[name].update_one(
                            {"_id": "pair"}, {"$inc": {"n": 1}}, session=tx.mongo
                        )

                await DbInterface(db).transact(both)
                began.set()

        writer = asyncio.create_task(raise_both())
        await began.wait()
        with house.path.open("wb") as file:
            await back_up(db, KEYS, file, "1.0")
        done.set()
        await writer
        assert (await db["counts"].find_one({"_id": "pair"}))["n"] > 1
        pair = {}
        with BackupReader(house.path) as reader:
            for name, documents in reader.batches():
                for row in bson.decode_all(documents):
                    if row["_id"] == "pair":
                        pair[name] = row["n"]
        return pair

    pair = house.loop.run(work())
    assert pair["counts"] == pair["platform"] > 0


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def without_its_end(data: bytes) -> bytes:
    """Whole as gzip, but the end is missing."""
    return gzip.compress(gzip.decompress(data)[:-20])


def with_another_byte(data: bytes) -> bytes:
    plain = bytearray(gzip.decompress(data))
    at = plain.index(b"CP-1700")
    plain[at : at + 7] = b"CP-1701"
    return gzip.compress(bytes(plain))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (truncated, "breaks off"),
        (without_its_end, "breaks off"),
        (with_another_byte, "do not match its checksum"),
        (lambda data: data + gzip.compress(b"more"), "goes on after its end"),
        (lambda data: b"a picture", "is no backup"),
        (lambda data: gzip.compress(b"an archive of something else"), "is no backup"),
        (lambda data: gzip.compress(bson.encode({"format": "other"})), "is no backup"),
        (lambda data: b"", "is no backup"),
    ],
)
def test_a_file_that_is_not_whole_or_not_ours_touches_nothing(
    house: House, spoil: Callable[[bytes], bytes], said: str
) -> None:
    house.path.write_bytes(spoil(house.back_up().read_bytes()))
    with pytest.raises(BackupUnusable, match=said):
        house.restore(replace=True)
    assert house.all_of(house.new) == {}


def test_a_backup_of_a_later_version_is_refused(house: House) -> None:
    with house.path.open("wb") as file:
        writer = BackupWriter(file)
        writer.begin({"schema": len(STEPS) + 1, "at": house.db.now(), **KEYS.marks()})
        writer.end()
    with pytest.raises(BackupUnusable, match=f"schema {len(STEPS) + 1}, this software"):
        house.restore()


def test_a_store_that_holds_something_is_left_alone_unless_said(house: House) -> None:
    house.back_up()

    async def put() -> None:
        await house.new["tokens"].insert_one({"_id": "mine"})

    house.loop.run(put())
    with pytest.raises(RestoreRefused, match="not empty"):
        house.restore()
    assert house.all_of(house.new) == {"tokens": [{"_id": "mine"}]}
    house.restore(replace=True)
    assert house.all_of(house.new) == house.all_of(house.db)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (Keys(Vault("x" * 40), "r" * 40), "CPO_ENCRYPTION_KEY"),
        (Keys(Vault("k" * 40), "x" * 40), "REGISTRY_SECRET_KEY"),
    ],
)
def test_the_keys_of_the_backup_are_asked_for(house: House, keys: Keys, name: str) -> None:
    house.back_up()
    with pytest.raises(RestoreRefused, match=f"another {name}"):
        house.restore(keys)
    assert house.all_of(house.new) == {}
    house.restore(keys, with_other_keys=True)
    assert house.all_of(house.new) == house.all_of(house.db)


def test_no_key_and_no_token_is_in_the_clear(house: House) -> None:
    data = gzip.decompress(house.back_up().read_bytes())
    assert b"k" * 40 not in data
    assert b"r" * 40 not in data


def test_on_a_store_that_is_half_restored_nobody_works(house: House) -> None:
    house.back_up()

    async def half() -> None:
        await schema_version.mark_restoring(house.new)
        with pytest.raises(StoreHalfRestored, match="cpo restore --force"):
            await make_ready(DbInterface(house.new))

    house.loop.run(half())
    house.restore()
    assert house.loop.run(refuse_newer(house.new)) == len(STEPS)


def test_a_store_without_a_version_is_upgraded_when_it_is_restored(house: House) -> None:
    async def older() -> None:
        await house.db["schema"].delete_many({})
        await house.db["commands"].insert_one({"_id": "c2", "slot": "print"})

    house.loop.run(older())
    house.back_up()
    assert house.restore().schema is None
    rows = {row["_id"]: row for row in house.all_of(house.new)["commands"]}
    assert rows["c2"] == {"_id": "c2", "idempotency_key": "print"}


def test_a_moment_that_cannot_be_read_is_followed_by_another(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "NEXT_MOMENT_S", 0)
    tries = 0

    async def unreadable_once(
        db: Database, first: Sequence[str], without: Sequence[str]
    ) -> AsyncIterator[Any]:
        nonlocal tries
        tries += 1
        async for name, documents in batches_of(db, first, without):
            yield name, documents
            if tries == 1 and name == "commands":
                raise MomentUnreadable

    monkeypatch.setattr(backup, "batches_of", unreadable_once)
    house.back_up()
    house.restore()
    assert tries == 2
    assert house.all_of(house.new) == house.all_of(house.db)


def test_a_store_too_big_for_the_time_that_the_server_gives_says_what_to_do(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(db: Database, *_: Sequence[str]) -> AsyncIterator[Any]:
        yield "cdrs", b""
        raise MomentLost

    monkeypatch.setattr(backup, "batches_of", lost)
    with pytest.raises(BackupFailed, match="raise minSnapshotHistoryWindowInSeconds"):
        house.back_up()


def test_exchanges_with_peers_are_no_part_of_it(house: House) -> None:
    """They are kept for a while only, and may be more than all the rest."""

    async def record() -> None:
        await house.db["exchanges"].insert_one({"_id": "e1"})

    house.loop.run(record())
    house.back_up()
    house.restore()
    assert "exchanges" in house.all_of(house.db)
    assert "exchanges" not in house.all_of(house.new)
