"""The embedded mongod: one owner, recovers from anything, says what is missing in one line."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from db_interface import embedded
from db_interface.database import StoreUnavailable
from db_interface.embedded import DataDirectoryInUse, EmbeddedMongo, find_mongod
from db_interface.json_data import JsonObject
from tests.e2e.processes import alive, eventually

pytestmark = pytest.mark.processes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    server = EmbeddedMongo(tmp_path / "data")
    yield server
    server.stop()


def test_it_is_a_replica_set_whose_data_outlives_a_kill(server: EmbeddedMongo) -> None:
    url = server.start()
    with MongoClient[JsonObject](url) as client:
        assert client.admin.command("hello")["setName"] == "cpo"
        with client.start_session() as session, session.start_transaction():
            client.cpo.kept.insert_one({"_id": 1}, session=session)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()

    with MongoClient[JsonObject](server.start()) as client:
        assert client.cpo.kept.find_one() == {"_id": 1}


def test_nobody_else_gets_in(server: EmbeddedMongo) -> None:
    server.start()
    port = server.url.rsplit(":", 1)[1].split("/")[0]
    with (
        MongoClient[JsonObject](f"mongodb://127.0.0.1:{port}/?directConnection=true") as stranger,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        stranger.cpo.kept.find_one()
    for name in ("mongod.password", "mongod.key"):
        mode = stat.S_IMODE((server.files.directory / name).stat().st_mode)
        assert mode == 0o600, name
    assert server.files.password.read_text() not in server.files.log.read_text()


def test_it_is_started_again_when_it_dies_and_says_so(
    server: EmbeddedMongo, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.start()
    first = server.pid
    assert first is not None
    with MongoClient[JsonObject](url, serverSelectionTimeoutMS=10_000) as client:
        client.cpo.kept.insert_one({"_id": 1})
        os.kill(first, signal.SIGKILL)
        eventually(lambda: "answers again" in caplog.text, 10)
        assert client.cpo.kept.find_one() == {"_id": 1}
    assert server.pid != first
    assert [record.getMessage() for record in caplog.records] == [
        "the embedded MongoDB ended (signal 9, SIGKILL); again in 0.5 s",
        "the embedded MongoDB answers again",
    ]


def test_a_stop_during_a_start_is_a_stop(server: EmbeddedMongo) -> None:
    server.start()
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: server.pid != first, 10)
    second = server.pid
    server.stop()
    assert second is not None and not alive(second)
    assert server.pid is None


def test_it_compresses_nothing_and_lets_nobody_in_for_being_local(server: EmbeddedMongo) -> None:
    server.start()
    server.stop()
    with MongoClient[JsonObject](server.start()) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]
    assert options["net"]["compression"]["compressors"] == "disabled"
    assert options["setParameter"]["enableLocalhostAuthBypass"] == "0"


def test_its_directory_is_closed_to_other_users(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty, foreign = tmp_path / "empty", tmp_path / "foreign"
    for directory in (empty, foreign):
        directory.mkdir()
        directory.chmod(0o755)
        embedded.keep_private(directory, of_ours=directory / "mongo")
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700

    foreign.chmod(0o755)
    (foreign / "letters").touch()
    embedded.keep_private(foreign, of_ours=foreign / "mongo")
    assert stat.S_IMODE(foreign.stat().st_mode) == 0o755
    assert f"{foreign} is open to other users of this host: chmod 700" in caplog.text


def test_a_data_directory_has_one_owner_and_others_find_the_server(server: EmbeddedMongo) -> None:
    other = EmbeddedMongo(server.files.directory)
    assert other.running_url() is None
    url = server.start()
    with pytest.raises(DataDirectoryInUse, match="is in use by another cpo"):
        EmbeddedMongo(server.files.directory).start()
    assert other.running_url() == url
    server.stop()
    assert other.running_url() is None


def test_a_server_that_outlived_its_owner_is_ended_first(
    server: EmbeddedMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an owner that was killed where the kernel could not end its child
    script = (
        "import sys; from pathlib import Path; from db_interface import embedded;"
        "embedded.die_with_parent = None;"
        "server = embedded.EmbeddedMongo(Path(sys.argv[1])); server.start();"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(server.files.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    orphan = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    assert alive(orphan)

    with MongoClient[JsonObject](server.start()) as client:
        assert client.admin.command("ping")["ok"]
    eventually(lambda: not alive(orphan), 10)


def test_it_follows_when_its_port_is_taken(server: EmbeddedMongo, tmp_path: Path) -> None:
    first = server.start()
    with MongoClient[JsonObject](first) as client:
        client.cpo.kept.insert_one({"_id": 1})
    server.stop()
    # The address of last time now belongs to another server
    other = EmbeddedMongo(tmp_path / "other")
    other.files.directory.mkdir()
    other.files.address.write_text(server.files.address.read_text())
    other.start()
    try:
        second = server.start()
        assert second != first
        with MongoClient[JsonObject](second) as client:
            assert client.cpo.kept.find_one() == {"_id": 1}
    finally:
        other.stop()


def test_an_unusable_data_directory_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be used: Not a directory"):
        EmbeddedMongo(tmp_path / "file" / "data").start()


def _fake_mongod(tmp_path: Path, script: str) -> str:
    binary = tmp_path / "mongod"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    return str(binary)


def test_a_missing_system_library_is_said_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "mongod: error while loading shared libraries: libcurl.so.4: "
        "cannot open shared object file: No such file or directory"
    )
    binary = _fake_mongod(tmp_path, f"echo '{said}' >&2; exit 127")
    monkeypatch.setattr(embedded, "find_mongod", lambda: binary)
    with pytest.raises(StoreUnavailable) as failed:
        EmbeddedMongo(tmp_path / "data").start()
    (line,) = str(failed.value).splitlines()
    assert line.startswith("mongod needs the system library libcurl.so.4: install the package ")
    assert "apt-get install libcurl4" in line


def test_a_server_that_ends_at_once_says_why_and_gives_the_directory_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = _fake_mongod(tmp_path, "echo 'no such luck' >&2; exit 3")
    monkeypatch.setattr(embedded, "find_mongod", lambda: binary)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"ended at its start \(no such luck\)"):
            EmbeddedMongo(tmp_path / "data").start()


def test_a_mongod_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = _fake_mongod(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_mongod() == binary
    monkeypatch.setenv("PATH", "")
    assert find_mongod() != binary
    monkeypatch.setattr(embedded, "find_spec", lambda _name: None)
    with pytest.raises(StoreUnavailable, match="install MongoDB 6 or later, or set CPO_MONGO_URL"):
        find_mongod()
