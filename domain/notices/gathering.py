"""Thousand alike are one matter: which troubles are told apart, and which together. Pure.

A trouble belongs to exactly one matter: to its own while that is open, else to the open one of
its place, else to the open one of all places, else to a new one. New ones of a kind that come
within `GATHER_S` of each other are looked at together: more than MAX_APART of a place are one
matter, and what would then still be more than MAX_AT_ONCE matters is a single one.

One of many is over when MAX_APART or fewer are left; those become matters of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from domain.notices.troubles import WORDS, Kind, Trouble

GATHER_S = 3.0
"""So long a trouble lasts before it is told: time for those alike to be seen, and for what passes
by itself to pass."""
MAX_APART = 5
MAX_AT_ONCE = 10


@dataclass(frozen=True)
class Sighting:
    """A matter that is in trouble now. `subject` is None of many alike, `number` how many."""

    id: str
    kind: Kind
    said: str
    do: str
    subject: str | None = None
    place: str | None = None
    number: int = 1


def arranged(
    troubles: Iterable[Trouble], open_ids: Set[str], lasting: Callable[[Trouble], bool]
) -> dict[str, Sighting]:
    """The matters by their id. `lasting`: whether a trouble has been there for GATHER_S."""
    by_kind: defaultdict[Kind, list[Trouble]] = defaultdict(list)
    for trouble in troubles:
        by_kind[trouble.kind].append(trouble)
    found: dict[str, Sighting] = {}
    for kind, alike in by_kind.items():
        for sighting in _of_kind(kind, alike, open_ids, lasting):
            found[sighting.id] = sighting
    return found


def _of_kind(
    kind: Kind,
    troubles: Sequence[Trouble],
    open_ids: Set[str],
    lasting: Callable[[Trouble], bool],
) -> list[Sighting]:
    own: list[Sighting] = []
    joined: defaultdict[str | None, list[Trouble]] = defaultdict(list)
    fresh: list[Trouble] = []
    for trouble in troubles:
        if trouble.id in open_ids:
            own.append(_single(trouble))
        elif trouble.place is not None and group_id(kind, trouble.place) in open_ids:
            joined[trouble.place].append(trouble)
        elif group_id(kind, None) in open_ids:
            joined[None].append(trouble)
        else:
            fresh.append(trouble)
    groups = [
        _many(kind, place, members) for place, members in joined.items() if len(members) > MAX_APART
    ]
    return own + groups + _new(kind, fresh, lasting)


def _new(
    kind: Kind, fresh: Sequence[Trouble], lasting: Callable[[Trouble], bool]
) -> list[Sighting]:
    if not any(map(lasting, fresh)):
        return []
    by_place: Mapping[str | None, list[Trouble]] = defaultdict(list)
    for trouble in fresh:
        by_place[trouble.place].append(trouble)
    groups, singles = [], []
    for place, members in by_place.items():
        if place is not None and len(members) > MAX_APART:
            groups.append(_many(kind, place, members))
        else:
            singles += members
    if len(groups) + len(singles) > MAX_AT_ONCE:
        return [_many(kind, None, fresh)]
    return groups + [_single(trouble) for trouble in singles if lasting(trouble)]


def group_id(kind: Kind, place: str | None) -> str:
    return f"{kind.value} everywhere" if place is None else f"{kind.value} at {place}"


def _single(trouble: Trouble) -> Sighting:
    return Sighting(
        trouble.id,
        trouble.kind,
        trouble.said,
        trouble.do or WORDS[trouble.kind].do,
        subject=trouble.subject,
        place=trouble.place,
    )


def _many(kind: Kind, place: str | None, members: Sequence[Trouble]) -> Sighting:
    of = "" if place is None else f"{place}: "
    said = f"{of}{len(members)} {WORDS[kind].many}"
    return Sighting(
        group_id(kind, place), kind, said, WORDS[kind].do, place=place, number=len(members)
    )
