"""What became of the objects of an import, in bounded memory: numbers, and the first of each kind.

A file of millions of bad objects must not become millions of remarks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

MAX_KEPT = 50
_MAX_KINDS = 500


@dataclass(frozen=True)
class Remark:
    """Of an object (its id, else its place in the file): why it was refused, or what is odd."""

    what: str
    text: str


@dataclass(frozen=True)
class Change:
    """What was done to a field before it was taken over; `path` without places in lists."""

    kind: str
    path: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}"


OTHERS = Change("other changes", "of fields that are too many to name")

Say = Callable[[str, Remark], None]
"""Hears every remark at once, with its kind: "refused", "warning" or "changed"."""


@dataclass
class Report:
    say: Say | None = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    warned: int = 0
    first_refused: list[Remark] = field(default_factory=list)
    first_warnings: list[Remark] = field(default_factory=list)
    changes: Counter[Change] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    """Objects of parties that this platform does not host, by party (CC/PID)."""
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)
    """The file is read in one thread, and what was read is written in another."""

    @property
    def imported(self) -> int:
        return self.created + self.updated

    @property
    def seen(self) -> int:
        return self.imported + self.unchanged + self.refused

    def refuse(self, what: str, text: str) -> None:
        with self._lock:
            self.refused += 1
            self._remark("refused", self.first_refused, Remark(what, text))

    def refuse_foreign(self, what: str, party: str) -> None:
        """Refuse an object because of its party: counted by party, for there may be many."""
        with self._lock:
            self.refused += 1
            self.foreign[party] += 1
            if self.say is not None:
                self.say("refused", Remark(what, f"{party} is not a party of this platform"))

    def warn(self, what: str, text: str) -> None:
        self.warned += 1
        self._remark("warning", self.first_warnings, Remark(what, text))

    def changed(self, what: str, change: Change) -> None:
        known = change in self.changes or len(self.changes) < _MAX_KINDS
        self.changes[change if known else OTHERS] += 1
        if self.say is not None:
            self.say("changed", Remark(what, str(change)))

    def count(self, outcomes: list[str]) -> None:
        """Outcomes as `publish_all` gives them."""
        self.created += outcomes.count("created")
        self.updated += outcomes.count("updated")
        self.unchanged += outcomes.count("unchanged")

    def _remark(self, kind: str, kept: list[Remark], remark: Remark) -> None:
        if len(kept) < MAX_KEPT:
            kept.append(remark)
        if self.say is not None:
            self.say(kind, remark)
