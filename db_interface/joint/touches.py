"""What each of the works of one transaction has seen and written of the store.

Inside one transaction all see what any of them writes. So that each is done as if it were alone,
none may have seen what another one writes, whichever came first, and none may write what another
one has written, unless both only add to it. Where that cannot be told it counts as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from db_interface.joint.matching import is_simple, matches, paths_of
from db_interface.json_data import JsonMapping

Change = JsonMapping | Sequence[JsonMapping]
_OF_THE_WHOLE = frozenset({"$replaceRoot", "$replaceWith", "$project"})
"""Stages of a change that name what stays, or nothing."""
_COMMUTING = frozenset({"$inc", "$min", "$max", "$addToSet", "$setOnInsert"})


class Crossed(Exception):
    """Two works met: they cannot be of one transaction."""

    def __init__(self, collection: str, one: int, other: int) -> None:
        super().__init__(f"{collection}: {one} and {other}")
        self.parts = (one, other)


@dataclass
class _Documents:
    """Of one collection; the numbers are works'."""

    read: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    written: defaultdict[str, dict[int, bool]] = field(default_factory=lambda: defaultdict(dict))
    """Whether each has only added to it."""
    asked: list[tuple[int, JsonMapping | None, Sequence[str]]] = field(default_factory=list)
    """Queries (None: of the whole collection), and by what it was chosen among what matches."""
    changed: list[tuple[int, Change, JsonMapping | None]] = field(default_factory=list)
    """(work, how, what was known of it before)."""
    created: list[tuple[int, JsonMapping]] = field(default_factory=list)
    swept: set[int] = field(default_factory=set)
    """Who has written documents without naming them."""
    known: dict[str, JsonMapping] = field(default_factory=dict)
    """As they are now, as far as they were read: no name is there in part."""


class Touches:
    def __init__(self) -> None:
        self._of: defaultdict[str, _Documents] = defaultdict(_Documents)
        self.writers: set[int] = set()

    def read(
        self, part: int, name: str, ids: Iterable[str], found: Sequence[JsonMapping] = ()
    ) -> None:
        """It has read these documents, or that there are none; what was `found` of them, if that
        is whole as far as it goes."""
        kept = self._of[name]
        for one in found:
            kept.known[str(one["_id"])] = {**kept.known.get(str(one["_id"]), {}), **one}
        _unless(name, part, kept.swept)
        for id_ in ids:
            _unless(name, part, kept.written.get(id_, ()))
            kept.read[id_].add(part)

    def asked(
        self,
        part: int,
        name: str,
        query: JsonMapping | None,
        ids: Iterable[str] = (),
        found: Sequence[JsonMapping] = (),
        order: Sequence[str] = (),
    ) -> None:
        """It has read all that match, or the first of them in that `order`; None: all that there
        are, or something made of them."""
        kept = self._of[name]
        if not query or not is_simple(query):
            query = None
        kept.asked.append((part, query, order))
        self.read(part, name, ids, found)
        for writer, change, before in kept.changed:
            if writer != part and _may_turn(query, order, change, before):
                raise Crossed(name, writer, part)
        for writer, document in kept.created:
            if writer != part and (query is None or matches(query, document)):
                raise Crossed(name, writer, part)

    def changes(
        self, part: int, name: str, id_: str, change: Change, made_of: JsonMapping | None = None
    ) -> None:
        """It is about to change that document; or to make it, if there is none, with what it is
        `made_of`."""
        if made_of is not None and isinstance(change, Mapping):
            change = {**change, "$setOnInsert": {**change.get("$setOnInsert", {}), **made_of}}
        elif made_of is not None:
            change = [*change, {"$set": made_of}]
        kept = self._of[name]
        only_adds = isinstance(change, Mapping) and _COMMUTING.issuperset(change)
        _unless(name, part, kept.swept)
        _unless(name, part, kept.read.get(id_, ()))
        others = kept.written[id_]
        _unless(name, part, [other for other, adds in others.items() if not (adds and only_adds)])
        before = kept.known.pop(id_, None)
        for reader, query, order in kept.asked:
            if reader != part and _may_turn(query, order, change, before):
                raise Crossed(name, reader, part)
        others[part] = others.get(part, True) and only_adds
        kept.changed.append((part, change, before))
        after = None if before is None else _after(before, change)
        if after is not None:
            kept.known[id_] = after
        self.writers.add(part)

    def creates(self, part: int, name: str, documents: Sequence[JsonMapping]) -> None:
        kept = self._of[name]
        _unless(name, part, kept.swept)
        for document in documents:
            id_ = str(document.get("_id"))
            _unless(name, part, kept.read.get(id_, ()))
            _unless(name, part, kept.written[id_])
            kept.written[id_][part] = False
            for reader, query, _ in kept.asked:
                if reader != part and (query is None or matches(query, document)):
                    raise Crossed(name, reader, part)
            kept.created.append((part, document))
        self.writers.add(part)

    def sweeps(self, part: int, name: str) -> None:
        """It is about to write documents that are not named."""
        kept = self._of[name]
        others = [other for parts in kept.read.values() for other in parts]
        others += [other for parts in kept.written.values() for other in parts]
        _unless(name, part, [*others, *kept.swept, *(other for other, _, _ in kept.asked)])
        kept.swept.add(part)
        self.writers.add(part)


def _unless(name: str, part: int, others: Iterable[int]) -> None:
    for other in others:
        if other != part:
            raise Crossed(name, other, part)


def _may_turn(
    query: JsonMapping | None, order: Sequence[str], change: Change, before: JsonMapping | None
) -> bool:
    """Whether the query may find the document before the change, or after it, and not both, or at
    another place of that order."""
    touched = _touched(change)
    if query is None or touched is None:
        return True
    looked_at = {path.split(".", 1)[0] for path in (*paths_of(query), *order)}
    if not looked_at & touched:
        return False
    if before is None or not isinstance(change, Mapping):
        return True
    after = _after({name: before[name] for name in looked_at if name in before}, change, looked_at)
    if after is None or not looked_at <= before.keys():
        return True
    return matches(query, before) or matches(query, after)


def _touched(change: Change) -> set[str] | None:
    """The fields that it may change; None: all of them."""
    stages = [change] if isinstance(change, Mapping) else change
    fields: list[str] = []
    for stage in stages:
        for operator, named in stage.items():
            if not operator.startswith("$") or operator in _OF_THE_WHOLE:
                return None
            fields += [named] if isinstance(named, str) else named
    return {path.split(".", 1)[0] for path in fields}


def _after(
    before: JsonMapping, change: Change, looked_at: Iterable[str] | None = None
) -> JsonMapping | None:
    """What becomes of it, as far as it is looked at; None: that is not told here."""
    if not isinstance(change, Mapping):
        return None
    after = dict(before)
    for operator, fields in change.items():
        for path, value in fields.items():
            name = path.split(".", 1)[0]
            if looked_at is not None and name not in looked_at:
                continue
            if name != path or operator not in ("$set", "$unset"):
                if looked_at is not None:
                    return None
                after.pop(name, None)
            elif operator == "$set":
                after[name] = value
            else:
                after.pop(name, None)
    return after
