"""What an exchange is found by: one list of texts, one index (`keys`, `_id`). Pure.

    "in peer-1 sessions"          all that this peer asked of that module
    "in * sessions"               whoever asked it
    "in peer-1 sessions 404"      with that status; only what was no success has such keys
    "41a5..."                     an id: correlation, request, session, location, command ...
    "card 9f0c..."                a card, by its keyed hash

A question becomes a few of such texts, each an exact place in the index, behind which the ids
stand in the order of time: what is read is a page, whatever the number of rows. Where a peer,
module or direction is left open, the texts of all modules and both directions are merged. What is
asked beside an id is looked at in the few exchanges that bear the id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.json_data import JsonMapping, JsonObject
from domain.exchanges.exchange import MODULES, NO_PEER, Direction, Outcome, first_id

ANY = "*"
MAX_IDS = 12
"""Of one exchange; further ones it is not found by."""
_MAX_LENGTH = 100
_STATUS = re.compile(r"failed|refused|[3-5][0-9]{2}|[2-4][0-9]{3}")


class BadSearch(ValueError):
    """What is asked for cannot be searched by; the message says what and why."""


@dataclass(frozen=True)
class Wanted:
    """A question. `status`: "failed", "refused", an HTTP status or an OCPI status_code (of what
    was no success). `cards`: hashes that `object` has as a card's number."""

    peer_id: str | None = None
    module: str | None = None
    object: str | None = None
    correlation_id: str | None = None
    status: str | None = None
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    cards: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.module is not None and self.module not in MODULES:
            raise BadSearch(f"module: is none of {', '.join(MODULES)}")
        if self.status is not None and not _STATUS.fullmatch(self.status):
            raise BadSearch(
                "status: is failed, refused, an HTTP status from 300 on or an OCPI status_code "
                "from 2000 on"
            )


_WORDS = (Outcome.FAILED.value, Outcome.REFUSED.value)


def keys_of(
    direction: Direction,
    peer_id: str | None,
    module: str,
    statuses: Sequence[object],
    ids: Iterable[str],
    cards: Iterable[str] = (),
) -> list[str]:
    """Those of an exchange. `statuses`: empty for a success; `cards`: their hashes."""
    places = (
        f"{direction.value} {peer_id or NO_PEER} {module}",
        f"{direction.value} {ANY} {module}",
    )
    keys = dict.fromkeys(places)
    keys.update(dict.fromkeys(f"{place} {status}" for status in statuses for place in places))
    keys.update(dict.fromkeys([folded(one) for one in ids if one][:MAX_IDS]))
    keys.update(dict.fromkeys(map(card_key, cards)))
    return list(keys)


def query_of(wanted: Wanted, before: str | None = None) -> JsonObject:
    """The question to the store; `before`: only what is older than that id."""
    query: JsonObject = {}
    ids = [one for one in (wanted.correlation_id, wanted.object) if one is not None]
    if ids:
        query |= _by_id(wanted)
    elif wanted.peer_id or wanted.module or wanted.status or wanted.direction:
        query["keys"] = _one_of(_places(wanted))
    bounds: JsonObject = {}
    if wanted.since is not None:
        bounds["$gte"] = first_id(wanted.since)
    ends = [one for one in (wanted.until and first_id(wanted.until), before) if one]
    if ends:
        bounds["$lt"] = min(ends)
    if bounds:
        query["_id"] = bounds
    return query


def hint_of(query: JsonMapping) -> Sequence[tuple[str, int]] | None:
    """The index that the question to the store goes by. By itself the store could go by time, and
    pass over all that is of others."""
    return [("keys", 1), ("_id", 1)] if "keys" in query else None


def card_key(hash_: str) -> str:
    return f"card {hash_}"


def folded(id_: str) -> str:
    return id_.lower()[:_MAX_LENGTH]


def _places(wanted: Wanted) -> list[str]:
    directions = [wanted.direction] if wanted.direction else list(Direction)
    modules = [wanted.module] if wanted.module else MODULES
    end = f" {wanted.status}" if wanted.status else ""
    return [
        f"{direction.value} {wanted.peer_id or ANY} {module}{end}"
        for direction in directions
        for module in modules
    ]


def _by_id(wanted: Wanted) -> JsonObject:
    """By the id, and what else is asked for looked at in what was found."""
    named = [
        *([folded(wanted.object)] if wanted.object else ()),
        *map(card_key, wanted.cards),
    ]
    query: JsonObject = {
        "keys": _one_of([folded(wanted.correlation_id)] if wanted.correlation_id else named)
    }
    if wanted.correlation_id and wanted.object:
        query["$and"] = [{"keys": _one_of(named)}]
    exact: JsonMapping = {
        "peer_id": wanted.peer_id,
        "module": wanted.module,
        "direction": wanted.direction and wanted.direction.value,
    }
    query |= {name: value for name, value in exact.items() if value is not None}
    if wanted.status in _WORDS:
        query["outcome"] = wanted.status
    elif wanted.status is not None:
        name = "status" if len(wanted.status) == 3 else "ocpi_status"
        query[name] = int(wanted.status)
    return query


def _one_of(texts: Sequence[str]) -> object:
    return texts[0] if len(texts) == 1 else {"$in": list(texts)}
