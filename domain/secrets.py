"""Secrets at rest: tokens that we issue are kept as keyed hashes, tokens that we must present
are sealed. Both keys come from one (CPO_ENCRYPTION_KEY), parted by HKDF. Keys change without
anybody registering anew: the new one is given first, older ones behind it (CPO_ENCRYPTION_KEYS).

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
    """Seals and hashes with master keys of at least 32 characters, the newest first.

    What is new is sealed and hashed with the newest; what an older one has sealed or hashed opens
    and is found, as long as that key is given, too.
    """

    def __init__(self, master_key: str, *older: str) -> None:
        self._keys = [_Key(key) for key in dict.fromkeys((master_key, *older))]

    @property
    def kid(self) -> str:
        """Names the newest key, and tells nothing of it (8 hex digits)."""
        return self._keys[0].kid

    @property
    def older(self) -> int:
        """How many older keys are given."""
        return len(self._keys) - 1

    def digest(self, token: str) -> str:
        """The keyed hash under which an issued token is found again (64 hex digits)."""
        return self._keys[0].digest(token)

    def digests(self, token: str) -> list[str]:
        """The token's hashes under all keys, the newest first: to find what was kept earlier."""
        return [key.digest(token) for key in self._keys]

    def seal(self, token: str) -> bytes:
        return self._keys[0].seal(token)

    def open(self, sealed: bytes) -> str:
        """Raises SecretUnusable when none of the keys sealed it."""
        kid, parted, content = bytes(sealed).partition(b":")
        for key in self._keys:
            # What was sealed before keys had names bears none.
            if not parted or key.kid == kid.decode("ascii", "replace"):
                with contextlib.suppress(InvalidToken):
                    return key.fernet.decrypt(content if parted else kid).decode()
        raise SecretUnusable(
            "a sealed token does not open: CPO_ENCRYPTION_KEY is not the one it was sealed with"
        )

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the newest key has sealed it."""
        return bytes(sealed).startswith(self.kid.encode() + b":")


class _Key:
    """One master key, and what is made of it."""

    def __init__(self, master_key: str) -> None:
        if len(master_key) < MIN_KEY_LENGTH:
            raise SecretUnusable(
                f"CPO_ENCRYPTION_KEY is shorter than {MIN_KEY_LENGTH} characters; "
                "make one with: openssl rand -hex 32"
            )
        self._hash_key = _derive(master_key, b"token hashes")
        self.kid = key_name(master_key)
        self.fernet = Fernet(base64.urlsafe_b64encode(_derive(master_key, b"sealed tokens")))

    def digest(self, token: str) -> str:
        return hmac.new(self._hash_key, token.encode(), hashlib.sha256).hexdigest()

    def seal(self, token: str) -> bytes:
        return self.kid.encode() + b":" + self.fernet.encrypt(token.encode())


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


def key_name(key: str) -> str:
    """Names a key, and tells nothing of it (8 hex digits); of one of less than MIN_KEY_LENGTH
    nothing is told but that."""
    return _derive(key, b"key id")[:4].hex() if len(key) >= MIN_KEY_LENGTH else "too short"


def _derive(master_key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master_key.encode())
