"""Passwords of people: argon2id, off the event loop, and never so many at once that it hurts.

A hash takes 19 MB and tens of milliseconds on purpose (OWASP's figures for argon2id): much for who
guesses, little enough that strangers cannot make it our bill. A name that nobody has costs as much.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 256
AT_ONCE = 2
MAX_WAITING = 32
_LETTERS = string.ascii_letters + string.digits

T = TypeVar("T")


class PasswordUnfit(ValueError):
    """Not a password to keep; the message says why."""


class TooBusy(Exception):
    """So many passwords are being looked at that one more would make all wait."""


def check_new(password: str, name: str) -> None:
    """Raises PasswordUnfit. Length is what counts, not which characters."""
    if len(password) < MIN_LENGTH:
        raise PasswordUnfit(f"a password has {MIN_LENGTH} characters or more")
    if len(password) > MAX_LENGTH:
        raise PasswordUnfit(f"a password has {MAX_LENGTH} characters at most")
    if len(set(password)) < 4 or password.lower() in (name.lower() * 20)[: len(password)]:
        raise PasswordUnfit("that password is easy to guess")


def generated() -> str:
    """119 random bits that can be typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


class Passwords:
    """One per process: it bounds how many are looked at at once."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hashed(self, password: str) -> str:
        """What is kept. Raises TooBusy."""
        return await self._in_turn(lambda: self._hasher.hash(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Whether it is the password of that hash; None (nobody's) takes as long. Raises
        TooBusy."""
        if len(password) > MAX_LENGTH:
            return False
        if kept is None:
            if self._nobodys is None:
                self._nobodys = await self.hashed(secrets.token_hex(16))
            kept = self._nobodys
        return await self._in_turn(lambda: self._verify(kept, password))

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise TooBusy
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
