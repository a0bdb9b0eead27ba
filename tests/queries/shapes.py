"""When two queries are the same: they ask for the same fields, in the same order of the answer.

find marks {due $lte, peer_id} sort due
aggregate locations [$match {audience}, $group {_id}, $unionWith counts [...]]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_OF_THE_CALL = frozenset(
    {"lsid", "txnNumber", "$clusterTime", "$db", "readConcern", "writeConcern", "autocommit"}
    | {"startTransaction", "maxTimeMS", "$readPreference", "stmtId", "comment", "ordered"}
    | {"bypassDocumentValidation", "noCursorTimeout", "allowPartialResults"}
)
_ON_VALUES = frozenset({"$in", "$nin", "$all"})


@dataclass(frozen=True)
class Shape:
    collection: str
    text: str

    def __str__(self) -> str:
        return self.text


def shapes_of(
    name: str, command: Mapping[str, object]
) -> Iterator[tuple[Shape, Mapping[str, object]]]:
    """Each query of the command, and a command that is that query alone."""
    collection = command[name]
    if not isinstance(collection, str):
        return
    plain = {key: value for key, value in command.items() if key not in _OF_THE_CALL}
    if name in ("update", "delete"):
        many = "updates" if name == "update" else "deletes"
        for one in _documents(command[many]):
            wanted = one["q"]
            assert isinstance(wanted, Mapping)
            text = f"{name} {collection} {filter_shape(wanted)}{_with_collation(one)}"
            yield Shape(collection, text), {name: collection, many: [one]}
        return
    if name == "aggregate":
        stages = _documents(command["pipeline"])
        if stages and next(iter(stages[0])) in ("$changeStream", "$collStats", "$indexStats"):
            return
        text = f"aggregate {collection} {_pipeline(stages)}"
        yield from _looked_up(stages)
    else:
        wanted = command.get("filter", command.get("query")) or {}
        assert isinstance(wanted, Mapping)
        text = f"{name} {collection} {filter_shape(wanted)}"
        if name == "distinct":
            text += f" of {command['key']}"
    if command.get("sort"):
        text += f" sort {_keys(command['sort'])}"
    if command.get("limit"):
        text += " limit"
    yield Shape(collection, text + _with_collation(command)), plain


def _looked_up(
    stages: Sequence[Mapping[str, object]],
) -> Iterator[tuple[Shape, Mapping[str, object]]]:
    """What is asked of other collections for each document: their plans are told of nowhere."""
    for stage in stages:
        joined = stage.get("$lookup")
        if not isinstance(joined, Mapping) or "foreignField" not in joined:
            continue
        match = {"$match": {joined["foreignField"]: "of each"}}
        command = {
            "aggregate": joined["from"],
            "pipeline": [match, *_documents(joined.get("pipeline", ()))],
            "cursor": {},
        }
        yield from shapes_of("aggregate", command)


def filter_shape(query: Mapping[str, object]) -> str:
    """`{due $lte, peer_id}`: fields and operators without values, in one order."""
    return "{" + ", ".join(sorted({_condition(key, value) for key, value in query.items()})) + "}"


def _condition(key: str, value: object) -> str:
    if key in ("$or", "$and", "$nor"):
        return f"{key}({' | '.join(sorted({filter_shape(one) for one in _documents(value)}))})"
    if key.startswith("$"):
        return key
    operators = _operators(value)
    return f"{key} {operators}" if operators else key


def _operators(value: object) -> str:
    """What is asked of a field, "" where it is to be one value (or one of some)."""
    if not isinstance(value, Mapping) or not any(str(key).startswith("$") for key in value):
        return ""
    said = []
    for key in sorted(value):
        if key == "$elemMatch":
            said.append(f"$elemMatch{filter_shape(value[key])}")
        elif key == "$not":
            said.append(f"$not({_operators(value[key])})")
        elif key not in ("$eq", "$in", "$options"):
            said.append(key)
    return " ".join(said)


def _pipeline(stages: Sequence[Mapping[str, object]]) -> str:
    return "[" + ", ".join(_stage(stage) for stage in stages) + "]"


def _stage(stage: Mapping[str, object]) -> str:
    ((name, what),) = stage.items()
    if name == "$match" and isinstance(what, Mapping):
        return f"$match {filter_shape(what)}"
    if name == "$sort":
        return f"$sort {_keys(what)}"
    if name in ("$unionWith", "$lookup") and isinstance(what, Mapping):
        inner = what.get("pipeline")
        other = what.get("coll", what.get("from"))
        return f"{name} {other} {_pipeline(_documents(inner)) if inner else ''}".rstrip()
    if name == "$facet" and isinstance(what, Mapping):
        parts = " | ".join(_pipeline(_documents(inner)) for inner in what.values())
        return f"$facet({parts})"
    return name


def _keys(sort: object) -> str:
    assert isinstance(sort, Mapping)
    return ", ".join(key if order == 1 else f"-{key}" for key, order in sort.items())


def _with_collation(command: Mapping[str, object]) -> str:
    return " as people compare" if command.get("collation") else ""


def _documents(value: object) -> list[Mapping[str, object]]:
    assert isinstance(value, Sequence)
    return list(value)
