"""Whether a query names the key by which its collection is spread over shards. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from db_interface.sharding import SHARDING, Spread

NOTHING = ""
"""Instead of a field: all there is, in some order."""
CARRIED, EVERY_SHARD, REFUSED = "carried", "asks every shard", "would be refused"


def how(collection: str, command: Mapping[str, object]) -> str:
    """As mongos would take it: to the shards that have it, to all of them, or not at all."""
    spread = SHARDING[collection]
    if not isinstance(spread, Spread):
        return CARRIED
    wanted, of_one = _asked(command)
    first = spread.fields if of_one == "made" else spread.fields[:1]
    if all(_names(wanted, field) for field in first):
        return CARRIED
    if of_one == "made" or (of_one == "one" and not _names(wanted, "_id")):
        return REFUSED
    return EVERY_SHARD


def fields_of(command: Mapping[str, object]) -> set[str]:
    """The fields that a query goes by, those of its alternatives among them."""
    return set(_fields(_asked(command)[0])) or {NOTHING}


def _asked(command: Mapping[str, object]) -> tuple[Mapping[str, object], str]:
    """(filter, what it is: "many"; "one" that is changed; "made": changed, or made)."""
    for many in ("updates", "deletes"):
        rows = command.get(many)
        if isinstance(rows, Sequence):
            row: Mapping[str, object] = rows[0]
            wanted = row["q"]
            assert isinstance(wanted, Mapping)
            if row.get("upsert"):
                return wanted, "made"
            single = row.get("limit") == 1 if many == "deletes" else not row.get("multi")
            return wanted, "one" if single else "many"
    stages = command.get("pipeline")
    if isinstance(stages, Sequence):
        first = stages[0].get("$match") if stages else None
        return first or {}, "many"
    asked = command.get("filter", command.get("query")) or {}
    assert isinstance(asked, Mapping)
    # A document that is found and changed at once: by the key alone, before MongoDB 7.
    return asked, "made" if "findAndModify" in command else "many"


def _names(wanted: Mapping[str, object], field: str) -> bool:
    """Whether it asks for one value of the field, or for some."""
    value = wanted.get(field)
    if field in wanted and (not isinstance(value, Mapping) or {"$eq", "$in"} & set(value)):
        return True
    both = wanted.get("$and")
    if isinstance(both, Sequence) and any(_names(one, field) for one in both):
        return True
    either = wanted.get("$or")
    return isinstance(either, Sequence) and all(_names(one, field) for one in either)


def _fields(wanted: Mapping[str, object]) -> Iterator[str]:
    for name, value in wanted.items():
        if name in ("$and", "$or", "$nor") and isinstance(value, Sequence):
            for one in value:
                yield from _fields(one)
        else:
            yield name
