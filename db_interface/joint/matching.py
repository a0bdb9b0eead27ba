"""MongoDB's simplest queries, looked at here: whose is which document of a joint answer. Pure.

A query that is not `is_simple` is never taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from db_interface.json_data import JsonMapping, JsonObject

_MISSING: Final = object()
_ORDERED: Mapping[str, Callable[[object, object], bool]] = {
    "$gt": lambda value, than: value > than,  # type: ignore[operator]
    "$gte": lambda value, than: value >= than,  # type: ignore[operator]
    "$lt": lambda value, than: value < than,  # type: ignore[operator]
    "$lte": lambda value, than: value <= than,  # type: ignore[operator]
}
_SCALARS = (str, bool, int, float, datetime)


def is_simple(query: JsonMapping) -> bool:
    """Whether it is made of equality, $in, comparison and $or alone."""
    return all(
        all(is_simple(one) for one in wanted) if name == "$or" else _is_simple(name, wanted)
        for name, wanted in query.items()
    )


def _is_simple(name: str, wanted: object) -> bool:
    if name.startswith("$") or any(part.isdigit() for part in name.split(".")):
        return False  # a number may be a place in a list
    if isinstance(wanted, Mapping):
        return all(
            isinstance(value, _SCALARS)
            if operator in _ORDERED
            else operator == "$in" and _all_scalars(value)
            for operator, value in wanted.items()
        )
    return isinstance(wanted, _SCALARS)


def _all_scalars(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(one, _SCALARS) for one in values)


def matches(query: JsonMapping, document: JsonMapping) -> bool:
    """Whether the simple query finds the document."""
    return all(
        any(matches(one, document) for one in wanted)
        if name == "$or"
        else _is_met(wanted, values_at(document, name))
        for name, wanted in query.items()
    )


def values_at(document: JsonMapping, path: str) -> list[object]:
    """What stands at a dotted path: one value, or those of a list."""
    found: list[object] = [document]
    for name in path.split("."):
        held = [one for each in found for one in (each if isinstance(each, list) else [each])]
        found = [one[name] for one in held if isinstance(one, Mapping) and name in one]
    return [one for each in found for one in (each if isinstance(each, list) else [each])]


def _is_met(wanted: object, values: Sequence[object]) -> bool:
    """Of a list each condition may be met by another of its elements."""
    conditions = wanted if isinstance(wanted, Mapping) else {"$in": [wanted]}
    return all(
        any(_fits(value, operator, against) for value in values)
        for operator, against in conditions.items()
    )


def _fits(value: object, operator: str, against: object) -> bool:
    if operator == "$in":
        return any(_same(value, one) for one in cast("Sequence[object]", against))
    return _is_comparable(value, against) and _ORDERED[operator](value, against)


def _same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _is_comparable(one: object, other: object) -> bool:
    return type(one) is type(other) or (_is_number(one) and _is_number(other))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def paths_of(query: JsonMapping) -> set[str]:
    """The dotted names that a simple query looks at."""
    found: set[str] = set()
    for name, wanted in query.items():
        if name == "$or":
            found = found.union(*(paths_of(one) for one in wanted))
        else:
            found.add(name)
    return found


def any_of(queries: Sequence[JsonMapping]) -> JsonObject:
    """One query that finds what any of these finds."""
    [first, *others] = queries
    if not others:
        return dict(first)
    names = {tuple(query) for query in queries}
    if len(names) == 1 and len(first) == 1 and "$or" not in first:
        [name] = first
        values = [query[name] for query in queries]
        if all(isinstance(value, _SCALARS) for value in values):
            return {name: {"$in": values}}
    return {"$or": [dict(query) for query in queries]}


def widened(fields: JsonMapping | None, queries: Sequence[JsonMapping]) -> JsonObject | None:
    """The fields to be asked for, so that it can be told whose a document is; {}: all of it, None:
    that cannot be had."""
    if fields is None:
        return {}
    if not fields.get("_id", 1) or not all(value == 1 for value in fields.values()):
        return None
    wide = dict(fields)
    for path in set().union(*(paths_of(query) for query in queries)):
        top = path.split(".", 1)[0]
        if path in wide or top in wide:
            continue
        if any(name.startswith(f"{top}.") for name in wide):
            return None
        wide[path] = 1
    return wide


def narrowed(document: JsonMapping, fields: JsonMapping | None) -> JsonObject:
    """Without what was asked for by `widened` alone."""
    if fields is None:
        return dict(document)
    wanted = {"_id", *(name.split(".", 1)[0] for name in fields)}
    return {name: value for name, value in document.items() if name in wanted}
