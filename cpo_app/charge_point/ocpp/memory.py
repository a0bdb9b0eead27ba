"""A journal without a disk, for fleets: what is not sent when the process ends is lost.

Takes and gives what `journal.Journal` does.
"""

from __future__ import annotations

from collections.abc import Sequence

from cpo_app.charge_point.journal import Message
from db_interface.json_data import JsonObject

MAX_MESSAGES = 2000


class MemoryJournal:
    def __init__(self) -> None:
        self._boot_id = ""
        self._messages: list[Message] = []

    def close(self) -> None:
        """There is nothing to close."""

    def state(self) -> JsonObject | None:
        return None

    def ended(self) -> dict[str, JsonObject]:
        return {}

    def write(
        self,
        state: JsonObject,
        boot_id: str,
        messages: Sequence[Message],
        answers: Sequence[JsonObject] = (),
        ended: Sequence[JsonObject] = (),
    ) -> None:
        self._boot_id = boot_id
        self._messages += messages
        if len(self._messages) > MAX_MESSAGES:
            self._thin()

    def waiting(self) -> int:
        return len(self._messages)

    def batch(self, limit: int) -> tuple[str, list[Message]] | None:
        return (self._boot_id, self._messages[:limit]) if self._messages else None

    def acknowledge(self, boot_id: str, seq: int) -> int:
        before = len(self._messages)
        self._messages = [message for message in self._messages if message["seq"] > seq]
        return before - len(self._messages)

    def _thin(self) -> None:
        """Starts and stops are never dropped: every second of all else goes."""
        kept = [
            message
            for number, message in enumerate(self._messages)
            if number % 2 or message["kind"] not in ("meter", "state")
        ]
        self._messages = kept
