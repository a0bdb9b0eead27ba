"""Other forms of an object, for readers who take it in another form than it is kept in.

A document may hold them beside its `raw` bytes, under `views`; `raw` stays the truth. Who writes an
object writes all of its forms anew or drops them: none is ever older than its `raw`. One that is
not there has to be made by whoever reads (domain/versions), or is the same as `raw`: the view says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from db_interface.json_data import JsonObject

SAME = b""
"""Stands for a form whose bytes are those of `raw`: they are not kept twice."""
UNSAID = b"-"
"""Stands for a form that the object does not have: who reads in it is not to see it. Kept as the
form's name in `unsaid`, by which lists leave it out and do not count it."""


@dataclass(frozen=True)
class View:
    """A form of objects: the name it is kept under."""

    name: str
    same_if_absent: bool = False
    """Where it is not kept it is the same as `raw`; else it has to be made."""

    @property
    def field(self) -> str:
        return f"views.{self.name}"

    def shown(self) -> JsonObject:
        """What brings the form as `raw` in a projection; `unmade` says that it is not there."""
        kept = f"${self.field}"
        if self.same_if_absent:
            return {"raw": {"$ifNull": [kept, "$raw"]}}
        same = {"$in": [{"$ifNull": [kept, SAME]}, [SAME]]}
        return {
            "raw": {"$cond": [same, "$raw", kept]},
            "unmade": {"$eq": [{"$type": kept}, "missing"]},
        }

    def of(self, raw: bytes, views: Mapping[str, bytes] | None) -> Shown:
        """The same of what was read whole."""
        kept = (views or {}).get(self.name)
        if kept is None:
            return Shown(bytes(raw), unmade=not self.same_if_absent)
        return Shown(bytes(kept or raw))


class Shown(NamedTuple):
    """An object's bytes for a reader."""

    raw: bytes
    unmade: bool = False
    """They are the object's own: his form of them has to be made."""


def fields_of(views: Mapping[str, bytes]) -> JsonObject:
    """The fields of a document that keep these forms; none that would be empty."""
    kept = {name: form for name, form in views.items() if form != UNSAID}
    unsaid = [name for name, form in views.items() if form == UNSAID]
    return {**({"views": kept} if kept else {}), **({"unsaid": unsaid} if unsaid else {})}


FIELDS = ("views", "unsaid")
"""All that `fields_of` may give."""


def asked_for(view: View | None) -> JsonObject:
    """What of a document to ask for, for a reader with that view, or with none; `in_view` makes
    the most of it. Where nearly every object is the same in the view nothing is computed."""
    if view is None:
        return {"raw": 1}
    return {"raw": 1, view.field: 1} if view.same_if_absent else view.shown()


def in_view(row: JsonObject, view: View | None) -> JsonObject:
    """What was asked for with `asked_for`, with the bytes of the view as `raw`."""
    if view is not None and view.same_if_absent and "views" in row:
        row["raw"] = row["views"].get(view.name) or row.get("raw")
    return row
