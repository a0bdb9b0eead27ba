"""Where a monitor keeps its EV_Registry credentials: the system's keyring where there is a real
one, else a 0600 file. A keyring that only pretends (fail, null, plaintext) is not one.

Never logs what it keeps.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from cpo_app.charge_point.state_dir import private_dir, write_private

logger = logging.getLogger(__name__)

_SERVICE = "cpo-charge-point"
#: A keyring that asks a person for a password must not hold up a charge point.
_KEYRING_TIMEOUT_S = 5.0
_PRETENDERS = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")

_REQUEST_KEY = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")


@dataclass(frozen=True)
class StoredCredentials:
    """`facts` is a digest of what was registered (location, metadata); "" where not known."""

    credentials: str
    facts: str = ""


def real_keyring() -> KeyringBackend | None:
    """The system's keyring, if it keeps secrets."""
    try:
        backend = keyring.get_keyring()
        parts = getattr(backend, "backends", [backend])
        for part in parts:
            if not type(part).__module__.startswith(_PRETENDERS) and part.priority > 0:
                return part
    except Exception:
        # Third-party backends raise what they like at load time; the file is always there.
        logger.warning("the system's keyring is unusable, a file is used instead")
    return None


class CredentialsStore:
    def __init__(self, cp_id: str, state_dir: Path, backend: KeyringBackend | None = None) -> None:
        self._cp_id = cp_id
        self.path = private_dir(state_dir) / f"credentials-{cp_id}.json"
        self._request = self.path.with_name(f"registering-{cp_id}.key")
        self._backend = backend
        # One machine may hold two installations with the same charge point ids.
        self._entry = f"{cp_id}@{self.path.parent}"

    async def load(self) -> StoredCredentials | None:
        """What is kept, or None. A damaged entry counts as none, with a log line."""
        for text in (await self._from_keyring(), self._from_file()):
            if text and (stored := _read(text)):
                return stored
            if text:
                logger.error("the kept credentials of %s are unreadable", self._cp_id)
        return None

    async def save(self, stored: StoredCredentials) -> None:
        """Keep them before anybody uses them. Raises OSError where neither place takes them."""
        text = json.dumps({"credentials": stored.credentials, "facts": stored.facts})
        if self._backend is not None:
            backend = self._backend
            try:
                await _bounded(lambda: backend.set_password(_SERVICE, self._entry, text))
            except (KeyringError, asyncio.TimeoutError, OSError, RuntimeError) as error:
                logger.warning("keyring: %s; a file is used instead", type(error).__name__)
            else:
                # An older file must not be mistaken for the truth later.
                self.path.unlink(missing_ok=True)
                return
        write_private(self.path, text)

    def request_key(self) -> str:
        """The key of the registration that is under way, or of a new one: on disk before this
        returns, so that whoever is killed before the answer came asks with the same. Raises
        OSError."""
        if self._request.exists():
            key = self._request.read_text(encoding="ascii", errors="replace").strip()
            if _REQUEST_KEY.fullmatch(key):
                return key
        key = secrets.token_hex(32)
        write_private(self._request, key)
        return key

    def answer_is_kept(self) -> None:
        """The next registration is another one."""
        self._request.unlink(missing_ok=True)

    async def _from_keyring(self) -> str | None:
        if self._backend is None:
            return None
        backend = self._backend
        try:
            return await _bounded(lambda: backend.get_password(_SERVICE, self._entry))
        except (KeyringError, asyncio.TimeoutError, OSError, RuntimeError) as error:
            logger.warning("keyring: %s; looking for a file instead", type(error).__name__)
            return None

    def _from_file(self) -> str | None:
        try:
            if self.path.stat().st_mode & 0o077:
                logger.warning("%s was readable by others; now it is not", self.path)
                self.path.chmod(0o600)
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


async def _bounded(call: Callable[[], T]) -> T:
    return await asyncio.wait_for(asyncio.to_thread(call), _KEYRING_TIMEOUT_S)


def _read(text: str) -> StoredCredentials | None:
    """Our JSON, or the bare credentials as an operator may have put them there."""
    text = text.strip()
    if text.isalnum():
        return StoredCredentials(text)
    try:
        data: Any = json.loads(text)
        credentials, facts = data["credentials"], data.get("facts", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(credentials, str) or not isinstance(facts, str):
        return None
    return StoredCredentials(credentials, facts)
