"""Secrets at rest: tokens that we issue are kept as keyed hashes, tokens that we must present
are sealed. Both keys come from one (CPO_ENCRYPTION_KEY), parted by HKDF.

Credentials here are 256-bit random, so a keyed hash is right; a slow password hash would only
be a door for denial of service. No value handled here may reach a log or an error text.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_KEY_LENGTH = 32


class SecretUnusable(ValueError):
    """A key that is too short, or a sealed value that the key does not open."""


class Vault:
    """Seals and hashes with one master key of at least 32 characters."""

    def __init__(self, master_key: str) -> None:
        if len(master_key) < MIN_KEY_LENGTH:
            raise SecretUnusable(
                f"CPO_ENCRYPTION_KEY is shorter than {MIN_KEY_LENGTH} characters; "
                "make one with: openssl rand -hex 32"
            )
        self._hash_key = _derive(master_key, b"token hashes")
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive(master_key, b"sealed tokens")))

    def digest(self, token: str) -> str:
        """The keyed hash under which an issued token is found again (64 hex digits)."""
        return hmac.new(self._hash_key, token.encode(), hashlib.sha256).hexdigest()

    def seal(self, token: str) -> bytes:
        return self._fernet.encrypt(token.encode())

    def open(self, sealed: bytes) -> str:
        """Raises SecretUnusable when another key sealed it."""
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken as error:
            raise SecretUnusable(
                "a sealed token does not open: CPO_ENCRYPTION_KEY is not the one it was sealed with"
            ) from error


def new_token() -> str:
    """256 random bits as 64 hex digits: printable, no escaping anywhere."""
    return secrets.token_hex(32)


def kept_secret(path: Path, make: Callable[[], str] = new_token) -> str:
    """The secret kept in a file that only this user can read; made at first use."""
    if not path.exists():
        # Under another name first: whoever comes meanwhile finds the whole secret or none.
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(make() + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    return path.read_text().strip()


def _derive(master_key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master_key.encode())
