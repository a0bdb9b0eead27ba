"""A thousand alike are one line: what needs a look, put together by its kind and reason. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.operator.money import Entry

_VARYING = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\d[\d.,:]*")
"""What says of each one which it is, and not why: ids and figures."""


@dataclass(frozen=True)
class Alike:
    """Entries of one kind and reason; `first` stands for them, `since` is the oldest's."""

    entries: Sequence[Entry]

    @property
    def first(self) -> Entry:
        return self.entries[0]

    @property
    def number(self) -> int:
        return len(self.entries)

    @property
    def energy_wh(self) -> float:
        return sum(one.energy_wh for one in self.entries)

    @property
    def since(self) -> datetime | None:
        return min((one.since for one in self.entries if one.since is not None), default=None)


def together(entries: Sequence[Entry]) -> list[Alike]:
    """In the order of the first of each."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for one in entries:
        groups.setdefault((one.kind, _VARYING.sub("#", one.why)), []).append(one)
    return [Alike(group) for group in groups.values()]
