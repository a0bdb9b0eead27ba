"""What several charge points of one site say about it: the first registered that says it wins.

A bad value of a field that a Location must have is a reason to hold the Location back, unless
another charge point has a good one; a bad value of any other field is left out with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.sites.fields import BadValue
from domain.sites.records import Record

T = TypeVar("T")


class Facts:
    """Reads one metadata key after the other; collects `reasons` and `warnings` on the way."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.reasons: list[str] = []
        self.warnings: list[str] = []

    def mandatory(self, key: str, read: Callable[[object], T | None]) -> T | None:
        """The first good value; None where nobody gives one, so that it has to be derived."""
        value, complaints = self._first(key, read)
        if value is None:
            self.reasons += [f"{complaint}; mend metadata.{key}" for complaint in complaints]
        else:
            self.warnings += [f"left out: {complaint}" for complaint in complaints]
        return value

    def optional(self, key: str, read: Callable[[object], T | None]) -> T | None:
        """The first good value, or None."""
        value, complaints = self._first(key, read)
        self.warnings += [f"left out: {complaint}" for complaint in complaints]
        return value

    def _first(self, key: str, read: Callable[[object], T | None]) -> tuple[T | None, list[str]]:
        complaints = []
        for record in self.records:
            given = record.metadata.get(key)
            if given is None:
                continue
            try:
                value = read(given)
            except BadValue as bad:
                complaints.append(f"{key} of {record.cp_id}: {bad}")
                continue
            if value is not None:
                return value, complaints
        return None, complaints
