"""This host: the mongod that the embedded default needs, the data directory, secrets in files."""

from __future__ import annotations

import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cpo_app.doctor.findings import Finding, fail, ok, warn
from db_interface.database import StoreUnavailable
from db_interface.embedded import find_mongod, lacking_library

MIN_FREE_BYTES = 1_000_000_000
_SECRET_FILES = (
    "admin.password",
    "encryption.key",
    "registry.key",
    "mongod.key",
    "mongod.password",
)


def check_host(data_dir: Path) -> Iterator[Finding]:
    """For installations on the embedded default only."""
    yield _mongod()
    unusable = _not_writable(data_dir)
    if unusable is not None:
        yield unusable
    if not data_dir.exists():
        if unusable is None:
            yield ok("data directory", f"{data_dir} is made at the first start")
        return
    if unusable is None:
        yield _space(data_dir)
    yield _files(data_dir)


def _mongod() -> Finding:
    """Whether there is one, and whether the system has the libraries that it needs."""
    try:
        binary = find_mongod()
    except StoreUnavailable as error:
        return fail("mongod", str(error), "install MongoDB 6 or later, or set CPO_MONGO_URL")
    try:
        ran = subprocess.run(  # noqa: S603 - the binary that the servers would start
            [binary, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return fail(
            "mongod", f"{binary} does not run ({type(error).__name__})", "set CPO_MONGO_URL"
        )
    if ran.returncode:
        lacking = lacking_library(ran.stderr)
        if lacking is not None:
            library, do = lacking
            return fail("mongod", f"{binary} needs the system library {library}", do)
        said = (ran.stderr.strip().splitlines() or ["no reason given"])[0]
        return fail(
            "mongod",
            f"{binary} does not run: {said[:200]}",
            "install MongoDB 6 or later, or set CPO_MONGO_URL",
        )
    return ok("mongod", f"{ran.stdout.splitlines()[0]} ({binary})")


def _not_writable(data_dir: Path) -> Finding | None:
    """Tried, with a directory that is gone again at once: rights, quotas and read-only file
    systems all tell."""
    place = data_dir.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryDirectory(prefix=".cpo-doctor-", dir=place):
            return None
    except OSError as error:
        said = f"{place} cannot be written to ({error.strerror})"
        return fail("data directory", said, "choose another with --data-dir or CPO_DATA_DIR")


def _space(data_dir: Path) -> Finding:
    free = shutil.disk_usage(data_dir).free
    said = f"{free / 1e9:.1f} GB free in {data_dir.absolute()}"
    if free < MIN_FREE_BYTES:
        return warn("data directory", said, "make room: a full disk stops the database")
    return ok("data directory", said)


def _files(data_dir: Path) -> Finding:
    open_ones = [
        name
        for name in _SECRET_FILES
        if (data_dir / name).exists()
        and stat.S_IMODE((data_dir / name).stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if open_ones:
        names = ", ".join(open_ones)
        return fail(
            "secret files", f"others on this host may read {names}", f"chmod 600 them in {data_dir}"
        )
    return ok("secret files", "only this user can read them")
