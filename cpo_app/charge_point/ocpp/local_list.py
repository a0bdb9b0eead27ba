"""The local authorization list: cards that may charge while the central system is away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from db_interface.json_data import JsonObject
from domain.times import parse_datetime

MAX_ENTRIES = 1000


class Entry(NamedTuple):
    status: str
    group: str | None = None
    expires: str | None = None


@dataclass
class LocalList:
    version: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)
    """By folded card."""

    @classmethod
    def of(cls, kept: JsonObject | None) -> LocalList:
        if kept is None:
            return cls()
        return cls(kept["version"], {uid: Entry(*row) for uid, row in kept["entries"].items()})

    def as_dict(self) -> JsonObject:
        return {"version": self.version, "entries": self.entries}

    def update(self, version: int, full: bool, entries: Iterable[tuple[str, Entry | None]]) -> str:
        """Accepted, VersionMismatch or Failed, as OCPP says it. None: the card is taken off."""
        if not full and version <= self.version:
            return "VersionMismatch"
        fresh = {} if full else dict(self.entries)
        for uid, entry in entries:
            if entry is None:
                fresh.pop(uid.lower(), None)
            else:
                fresh[uid.lower()] = entry
        if len(fresh) > MAX_ENTRIES:
            return "Failed"
        self.version, self.entries = version, fresh
        return "Accepted"

    def says(self, uid: str, now: datetime) -> Entry | None:
        """None: it does not know the card, or not any more."""
        entry = self.entries.get(uid.lower())
        if entry is None or (entry.expires and parse_datetime(entry.expires) <= now):
            return None
        return entry
