"""Numbers the engine's messages to Central and keeps them, with the state, in the journal.

A disk that refuses must not stop a charge: what could not be written is kept in memory and tried
again with the next change.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from cpo_app.charge_point.clock import Clock, wire_time
from cpo_app.charge_point.journal import Journal, Message

logger = logging.getLogger(__name__)


class Recorder:
    """`on_new` is called after each write that holds messages (the sender's wake-up)."""

    def __init__(self, journal: Journal, clock: Clock, on_new: Callable[[], None]) -> None:
        #: A new one at each start: `seq` counts from 1 within it.
        self.boot_id = secrets.token_hex(8)
        self._journal = journal
        self._clock = clock
        self._on_new = on_new
        self._seq = 0
        self._messages: list[Message] = []
        self._answers: list[dict[str, Any]] = []

    def emit(self, kind: str, fields: dict[str, Any]) -> None:
        """Add a message; `at` is now unless `fields` has it."""
        self._seq += 1
        head = {"seq": self._seq, "kind": kind, "at": wire_time(self._clock.now())}
        self._messages.append({**head, **fields})

    def remember_answer(self, answer: dict[str, Any]) -> None:
        self._answers.append(answer)

    def commit(self, state: dict[str, Any]) -> None:
        """Write the state and whatever was added since the last commit, all or nothing."""
        try:
            self._journal.write(state, self.boot_id, self._messages, self._answers)
        except sqlite3.Error:
            logger.exception("state could not be written; charging goes on, trying again")
            return
        fresh, self._messages, self._answers = bool(self._messages), [], []
        if fresh:
            self._on_new()
