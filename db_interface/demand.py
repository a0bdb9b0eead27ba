"""What an object has to be for a reader besides being of his audiences."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from db_interface.json_data import JsonObject


@dataclass(frozen=True)
class Demand:
    has: Sequence[str] = ()
    """all of these are among its `links.has`; what was never looked through has none"""
    groups: Sequence[str] | None = None
    """one of these is among its groups; None: whatever they are"""
    said_in: str | None = None
    """it has this form (views.py), as far as is known; None: whatever forms it has"""

    def met_by(self, has: Container[str], groups: Container[str]) -> bool:
        if self.groups is not None and not any(group in groups for group in self.groups):
            return False
        return all(name in has for name in self.has)

    def query(self) -> JsonObject:
        """The query for the objects that meet it."""
        query: JsonObject = {"links.has": {"$all": list(self.has)}} if self.has else {}
        if self.groups is not None:
            query["groups"] = any_of(self.groups)
        if self.said_in is not None:
            query["unsaid"] = {"$ne": self.said_in}
        return query

    def __bool__(self) -> bool:
        return bool(self.has) or self.groups is not None or self.said_in is not None


NO_DEMAND = Demand()


def any_of(values: Sequence[str]) -> object:
    """The query of a field that has one of the values."""
    return values[0] if len(values) == 1 else {"$in": list(values)}
