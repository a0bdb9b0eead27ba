"""The charge point's private directory, and the key that a monitor and its engine share there.

Files are created with mode 0600 and replaced whole, so that no reader ever sees half a secret.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from pydantic import SecretStr

from cpo_app.charge_point.settings import LINK_KEY_MIN_CHARS


def private_dir(path: Path) -> Path:
    """The directory, made with mode 0700 if need be. Raises OSError."""
    path = path.expanduser().absolute()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace the file at once, mode 0600, on disk before this returns. Raises OSError."""
    fresh = _fresh(path, text)
    try:
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    _sync_dir(path.parent)


def link_key(configured: SecretStr | None, state_dir: Path, cp_id: str) -> str:
    """The key with which the monitor hands over the link: the configured one, else the file's.

    Whoever of the two comes first creates `link-<cp_id>.key`. Raises OSError, and ValueError
    for a file that holds no usable key.
    """
    if configured is not None:
        return configured.get_secret_value()
    path = private_dir(state_dir) / f"link-{cp_id}.key"
    if not path.exists():
        fresh = _fresh(path, secrets.token_hex(32))
        try:
            # Unlike a rename, a hard link fails if the other one was faster.
            os.link(fresh, path)
            _sync_dir(path.parent)
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)
    key = path.read_text(encoding="ascii").strip()
    if len(key) < LINK_KEY_MIN_CHARS:
        raise ValueError(f"{path} holds no usable key: delete it, a new one will be made")
    return key


def _fresh(path: Path, text: str) -> Path:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _sync_dir(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
