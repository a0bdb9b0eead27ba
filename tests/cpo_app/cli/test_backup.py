"""`cpo backup`, `cpo restore`: on the store as the servers find it."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo
from db_interface.interface import DbInterface
from domain.objects.locations import owned_location
from domain.outbox.marks import MARKS
from domain.outbox.publishing import publish
from domain.peers.peers import Peers
from domain.peers.terms import Terms
from domain.schemas import format_datetime
from domain.secrets import Vault, new_token
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.schemas.samples import evse, location

BACKUP = "night.backup"


@pytest.fixture
def place(db: Database, loop: Loop) -> dict[str, Any]:
    """A location of ours that has changed an hour ago."""
    at = format_datetime(datetime.now(timezone.utc) - timedelta(hours=1))
    made: dict[str, Any] = location(
        id="L1", last_updated=at, evses=[{**evse(uid="E1"), "last_updated": at}]
    )
    store = DbInterface(db)
    loop.run(store.transact(lambda tx: publish(store, "locations", owned_location(made), tx)))
    return made


def newest(db: Database, loop: Loop) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        found = await DbInterface(db).objects("locations").documents({})
        assert len(found) == 1
        return dict(found[0])

    return loop.run(read())


def test_a_backup_is_made_and_restored(
    db: Database, loop: Loop, cpo: Cpo, place: dict[str, Any], tmp_path: Path
) -> None:
    before = newest(db, loop)
    made = cpo("backup", BACKUP)
    assert made.code == 0, made.err
    assert made.json()["documents"]["locations"] == 1
    assert "CPO_ENCRYPTION_KEY and REGISTRY_SECRET_KEY" in made.err
    assert stat.S_IMODE((tmp_path / BACKUP).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [BACKUP]

    refused = cpo("restore", BACKUP)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == ("cpo: the store is not empty: what it holds would be lost (--force)\n")
    back = cpo("restore", BACKUP, "--force")
    assert back.code == 0, back.err
    assert back.json()["at"] == made.json()["at"]
    assert back.json()["renewed"] == {"locations": 1, "tariffs": 0}
    assert "is lost here" in back.err

    # Peers may have pulled later states: ours is the newest again, and nothing else has changed.
    after = newest(db, loop)
    assert after["last_updated"] > before["last_updated"] + timedelta(minutes=59)
    stamp = after["fields"]["last_updated"]
    assert (stamp, stamp) == (
        after["fields"]["evses"][0]["last_updated"],
        after["fields"]["evses"][0]["connectors"][0]["last_updated"],
    )
    assert unstamped(after["fields"]) == unstamped(place)
    assert {name: after[name] for name in ("_id", "seq", "audience", "links")} == {
        name: before[name] for name in ("_id", "seq", "audience", "links")
    }


def unstamped(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: unstamped(one) for name, one in part.items() if name != "last_updated"}
    if isinstance(part, Sequence) and not isinstance(part, str):
        return [unstamped(one) for one in part]
    return part


def test_no_file_is_written_over(cpo: Cpo, tmp_path: Path) -> None:
    (tmp_path / BACKUP).write_text("precious")
    ran = cpo("backup", BACKUP)
    assert (ran.code, ran.err) == (1, f"cpo: {BACKUP}: is there already\n")
    assert (tmp_path / BACKUP).read_text() == "precious"


def test_what_cannot_be_written_or_read_is_one_line(cpo: Cpo) -> None:
    nowhere = cpo("backup", "not-there/x")
    assert (nowhere.code, nowhere.err.count("\n")) == (1, 1)
    assert "No such file or directory" in nowhere.err
    missing = cpo("restore", "missing")
    assert (missing.code, missing.err) == (1, "cpo: missing: No such file or directory\n")


def test_every_peer_gets_what_came_back(
    db: Database, loop: Loop, cpo: Cpo, place: dict[str, Any]
) -> None:
    async def connect() -> str:
        peers = Peers(db, Vault("k" * 40))
        peer, _ = await peers.invite("eMSP", db.now(), Terms(any_party=True))
        endpoints = [{"identifier": "locations", "role": "RECEIVER", "url": "https://emsp.test/l"}]
        await peers.connect(
            peer.peer_id,
            our_token=new_token(),
            their_token=new_token(),
            now=db.now(),
            versions_url="https://emsp.test/versions",
            version="2.2.1",
            version_url="https://emsp.test/2.2.1",
            endpoints=endpoints,
            roles=[{"role": "EMSP", "country_code": "DE", "party_id": "TNM"}],
        )
        await MARKS.of(db).delete_many({})  # it has seen everything
        return peer.peer_id

    peer_id = loop.run(connect())
    assert cpo("backup", BACKUP).code == 0
    assert cpo("restore", BACKUP, "--force").code == 0

    async def marks() -> list[tuple[str, str]]:
        return [(row["peer_id"], row["module"]) for row in await MARKS.of(db).find({})]

    assert loop.run(marks()) == [(peer_id, "locations")]


def test_beside_servers_on_the_embedded_store_a_backup_is_made_and_nothing_restored(
    cpo: Cpo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CPO_MONGO_URL")
    for name in ("CPO_ENCRYPTION_KEY", "REGISTRY_SECRET_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("CPO_DATA_DIR", str(tmp_path / "data"))
    server = EmbeddedMongo(tmp_path / "data")
    server.start()
    try:
        made = cpo("backup", BACKUP)
        refused = cpo("restore", BACKUP, "--force")
    finally:
        server.stop()
    assert made.code == 0, made.err
    assert f"encryption.key and registry.key in {tmp_path / 'data'}" in made.err
    assert refused.code == 1
    assert "is in use" in refused.err
    assert refused.err.count("\n") == 1
