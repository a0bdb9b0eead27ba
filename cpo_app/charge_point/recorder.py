"""Numbers the engine's messages to Central and keeps them, with the state, in the journal; and
remembers how the last sessions ended, so that nobody takes "over" for "never heard of it".

A disk that refuses must not stop a charge: what could not be written is kept in memory and tried
again with the next change. `commit` says so: until it is written, nothing is acknowledged.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol

from cpo_app.charge_point.journal import MAX_ENDED_SESSIONS, Message
from cpo_app.charge_point.timeline import Timeline
from db_interface.json_data import JsonObject
from domain.times import format_datetime

logger = logging.getLogger(__name__)


class Kept(Protocol):
    """Where it is written: journal.Journal, or something like it."""

    def ended(self) -> dict[str, JsonObject]: ...

    def write(
        self,
        state: JsonObject,
        boot_id: str,
        messages: Sequence[Message],
        answers: Sequence[JsonObject] = (),
        ended: Sequence[JsonObject] = (),
    ) -> None: ...


class Recorder:
    """`on_new` is called after each write that holds messages (the sender's wake-up)."""

    def __init__(self, journal: Kept, timeline: Timeline, on_new: Callable[[], None]) -> None:
        #: A new one at each start: `seq` counts from 1 within it.
        self.boot_id = secrets.token_hex(8)
        self._journal = journal
        self._timeline = timeline
        self._on_new = on_new
        self._seq = 0
        self._messages: list[Message] = []
        self._answers: list[JsonObject] = []
        self._ended = journal.ended()
        self._ended_now: list[JsonObject] = []

    @property
    def last_seq(self) -> int:
        """Of the messages of this boot."""
        return self._seq

    def emit(self, kind: str, fields: JsonObject) -> None:
        """Add a message about this instant."""
        self._seq += 1
        head = {
            "seq": self._seq,
            "kind": kind,
            "at": format_datetime(self._timeline.now()),
        }
        message = {**head, **fields}
        self._messages.append(message)
        if kind == "session_stopped":
            self._remember_end(message)

    def ended(self, session_id: str) -> JsonObject | None:
        """{energy_wh, at, reason, boot_id, seq} of a session that has ended here; None: never
        heard of it, or too long ago. Its telemetry is complete up to `seq` of `boot_id`."""
        known = self._ended.get(session_id)
        if known is None:
            return None
        return {name: value for name, value in known.items() if name != "session_id"}

    def _remember_end(self, message: Message) -> None:
        names = ("session_id", "energy_wh", "at", "reason", "seq")
        end = {**{name: message[name] for name in names}, "boot_id": self.boot_id}
        self._ended.pop(end["session_id"], None)
        self._ended[end["session_id"]] = end
        if len(self._ended) > MAX_ENDED_SESSIONS:
            del self._ended[next(iter(self._ended))]
        self._ended_now.append(end)

    def remember_answer(self, answer: JsonObject) -> None:
        self._answers.append(answer)

    def commit(self, state: JsonObject) -> bool:
        """Write the state, with where the time line is, and whatever was added since the last
        commit, all or nothing.

        False where the disk refuses.
        """
        kept = {**state, "timeline": self._timeline.kept()}
        try:
            self._journal.write(kept, self.boot_id, self._messages, self._answers, self._ended_now)
        except sqlite3.Error:
            logger.exception("state could not be written; charging goes on, trying again")
            return False
        fresh = bool(self._messages)
        self._messages, self._answers, self._ended_now = [], [], []
        if fresh:
            self._on_new()
        return True
