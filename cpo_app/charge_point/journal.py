"""What the engine keeps on disk: its state, its unacknowledged messages, its answers to commands,
and how its last sessions ended.

One SQLite file per charge point, mode 0600, for one process at a time. State, messages and
answer of one change are written in one transaction, so that after a crash none of them knows
more than the others. What somebody will rely on (a start, a stop, an answer) survives a power
cut once `write` has returned; meter values may wait for the next such write, or SYNC_EVERY_S.
Never holds a token or a key.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from db_interface.json_data import JsonObject

Message = JsonObject

logger = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot_id TEXT NOT NULL, seq INTEGER NOT NULL,
    kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, command_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ended (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
"""

MAX_ENDED_SESSIONS = 1000
SYNC_EVERY_S = 10.0
"""A power cut loses no more of the meter's course than this."""
_DURABLE_KINDS = frozenset({"session_started", "session_stopped"})


class JournalInUse(Exception):
    """Another engine process has this file open."""


class Journal:
    """Raises sqlite3.Error where the disk does not take a write."""

    def __init__(
        self,
        path: Path,
        *,
        max_messages: int = 20_000,
        max_answers: int = 1000,
        max_ended: int = MAX_ENDED_SESSIONS,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._max_messages = max_messages
        self._max_answers = max_answers
        self._max_ended = max_ended
        self._monotonic = monotonic
        self._synced_at = monotonic()
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise JournalInUse(f"{path} is in use by another engine, or not writable") from None
            aside = path.with_suffix(".damaged")
            logger.error(
                "%s is damaged (%s): moved to %s, starting empty",
                path,
                error,
                aside.name,
            )
            path.replace(aside)
            # Its log must not be replayed into the new file.
            path.with_name(path.name + "-wal").unlink(missing_ok=True)
            self._db = _open(path)
        self._waiting: int = self._db.execute("SELECT count(*) FROM outbox").fetchone()[0]

    def close(self) -> None:
        self._db.close()

    def state(self) -> JsonObject | None:
        row = self._db.execute("SELECT body FROM state").fetchone()
        return json.loads(row[0]) if row else None

    def answers(self) -> dict[str, JsonObject]:
        """The remembered answers by command_id, oldest first."""
        rows = self._db.execute("SELECT command_id, body FROM answers ORDER BY id")
        return {command_id: json.loads(body) for command_id, body in rows}

    def ended(self) -> dict[str, JsonObject]:
        """How the last sessions ended, by session_id, oldest first."""
        rows = self._db.execute("SELECT session_id, body FROM ended ORDER BY id")
        return {session_id: json.loads(body) for session_id, body in rows}

    def write(
        self,
        state: JsonObject,
        boot_id: str,
        messages: Sequence[Message],
        answers: Sequence[JsonObject] = (),
        ended: Sequence[JsonObject] = (),
    ) -> None:
        """Keep one change as a whole. `messages` carry their `seq` and `kind`, `answers` their
        command_id, `ended` (sessions) their session_id."""
        durable = bool(answers or ended) or any(m["kind"] in _DURABLE_KINDS for m in messages)
        self._set_durability(durable)
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (json.dumps(state),))
            self._db.executemany(
                "INSERT INTO outbox (boot_id, seq, kind, body) VALUES (?, ?, ?, ?)",
                [(boot_id, m["seq"], m["kind"], json.dumps(m)) for m in messages],
            )
            for answer in answers:
                self._db.execute(
                    "INSERT OR IGNORE INTO answers (command_id, body) VALUES (?, ?)",
                    (answer["command_id"], json.dumps(answer)),
                )
                self._db.execute(
                    "DELETE FROM answers WHERE id <= (SELECT max(id) FROM answers) - ?",
                    (self._max_answers,),
                )
            for session in ended:
                self._db.execute(
                    "INSERT OR REPLACE INTO ended (session_id, body) VALUES (?, ?)",
                    (session["session_id"], json.dumps(session)),
                )
                self._db.execute(
                    "DELETE FROM ended WHERE id <= (SELECT max(id) FROM ended) - ?",
                    (self._max_ended,),
                )
        self._waiting += len(messages)
        if self._waiting > self._max_messages:
            self._thin()

    def waiting(self) -> int:
        """How many messages Central has not acknowledged."""
        return self._waiting

    def batch(self, limit: int) -> tuple[str, list[Message]] | None:
        """The oldest unacknowledged messages, in order, all of one boot; None if there are none."""
        first = self._db.execute("SELECT boot_id FROM outbox ORDER BY id LIMIT 1").fetchone()
        if first is None:
            return None
        rows = self._db.execute(
            "SELECT body FROM outbox WHERE boot_id = ? ORDER BY id LIMIT ?", (first[0], limit)
        )
        return first[0], [json.loads(body) for (body,) in rows]

    def acknowledge(self, boot_id: str, seq: int) -> int:
        """Forget the messages of `boot_id` up to `seq`. Returns how many there were."""
        with self._db:
            gone = self._db.execute(
                "DELETE FROM outbox WHERE boot_id = ? AND seq <= ?", (boot_id, seq)
            ).rowcount
        self._waiting -= gone
        return gone

    def _set_durability(self, durable: bool) -> None:
        """Whether the next commit is forced to the disk, with all that was written before it
        (SQLite, PRAGMA synchronous: in WAL mode NORMAL never syncs a commit, FULL each)."""
        now = self._monotonic()
        durable = durable or now - self._synced_at >= SYNC_EVERY_S
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        if durable:
            self._synced_at = now

    def _thin(self) -> None:
        """Make room: every second meter value of the older half goes.

        They hold running totals, so the energy stays right and only the curve grows coarser.
        Starts and stops are never dropped; states only when no meter value is left.
        """
        half = self._max_messages // 2
        oldest = "SELECT id FROM outbox WHERE kind = ? ORDER BY id LIMIT ?"
        ids = [row[0] for row in self._db.execute(oldest, ("meter", half))][::2]
        if not ids:
            ids = [row[0] for row in self._db.execute(oldest, ("state", half))][::2]
        with self._db:
            self._db.executemany("DELETE FROM outbox WHERE id = ?", [(i,) for i in ids])
        self._waiting -= len(ids)
        logger.warning("Central has been away for long: %d older meter values dropped", len(ids))


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=1.0)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(_SCHEMA)
        db.execute("BEGIN IMMEDIATE")
        db.rollback()
        if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")
    except sqlite3.Error:
        db.close()
        raise
    return db
