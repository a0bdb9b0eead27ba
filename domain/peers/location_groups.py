"""Groups of locations, and the peers that are given some of them only.

A group is a name that the operator puts on locations; it is there as long as a location has it. The
names stand on the location's document beside the object (never in it: no peer reads them) and stay
when it is rewritten. A peer that is given groups is offered the locations of these alone, wherever
it looks; its drivers' sessions and CDRs are its own wherever they charge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.outbox.marks import mark_regrouped
from domain.outbox.opening import renew
from domain.peers.requirements import turn
from domain.peers.switches import NotPossible

SETTING = "groups"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_BATCH = 500
MAX_NAMED = 20
"""Locations of a batch that its audit entry names."""
_RESERVED = ("all",)


def group_named(text: str) -> str:
    """A group's name, in lower case. Raises NotPossible."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise NotPossible(
            f"{text} cannot be a group's name: up to 40 letters, digits, dots, - and _; not all"
        )
    return name


def groups_given(peer: JsonMapping) -> list[str] | None:
    """The groups that a peer (its document) is given; None: it is offered all locations."""
    groups = (peer.get("settings") or {}).get(SETTING)
    return None if groups is None else list(groups)


async def give(store: DbInterface, peer_id: str, groups: Sequence[str] | None) -> int:
    """From now on the peer is offered the locations of these groups alone; None: all of them. What
    it could see besides is taken away, what it can see now is sent: how many locations.

    Raises UnknownPeer, NotPossible. Given the same once more, it is made sure that the peer has
    none of the others.
    """
    if groups is None:
        return await turn(store, peer_id, {f"settings.{SETTING}": None})
    names = sorted({group_named(group) for group in groups})
    if not names:
        raise NotPossible("name the groups that it is given, or all")
    for name in names:
        if not await _there(store, name):
            raise NotPossible(f"no location is in a group {name}: cpo locations group {name} add")
    return await turn(store, peer_id, {f"settings.{SETTING}": names})


async def add(store: DbInterface, group: str, keys: Sequence[str]) -> int:
    """Put the locations (folded keys) into the group; how many were not in it. Peers that are given
    the group are sent them. Raises NotPossible."""
    return await _regroup(store, keys, joined={group_named(group)})


async def remove(store: DbInterface, group: str, keys: Sequence[str]) -> int:
    """Take the locations out of the group; how many were in it. From peers that see them by that
    group alone they are taken away. Raises NotPossible."""
    return await _regroup(store, keys, left={group_named(group)})


async def put_into(store: DbInterface, key: str, groups: Sequence[str]) -> None:
    """Put one location into these groups and no other. Raises NotPossible, KeyError."""
    names = {group_named(group) for group in groups}
    found = await store.objects("locations").of(store.db).find_one({"_id": key}, {"groups": 1})
    if found is None:
        raise KeyError(key)
    before = {*found.get("groups", ())}
    await _regroup(store, [key], joined=names - before, left=before - names)


async def members(store: DbInterface, group: str, limit: int) -> list[str]:
    """The folded keys of the first locations in the group, in order of creation."""
    found = await store.objects("locations").documents(
        {"groups": group_named(group)}, fields={"_id": 1}, sort=[("seq", 1)], limit=limit
    )
    return [location["_id"] for location in found]


async def counts(store: DbInterface) -> dict[str, int]:
    """How many locations there are in each group."""
    rows = await (
        store.objects("locations")
        .of(store.db)
        .aggregate(
            [
                {"$match": {"groups": {"$exists": True}}},
                {"$unwind": "$groups"},
                {"$group": {"_id": "$groups", "n": {"$sum": 1}}},
                {"$sort": {"_id": 1}},
            ]
        )
    )
    return {row["_id"]: row["n"] for row in rows}


async def _there(store: DbInterface, group: str) -> bool:
    found = await store.objects("locations").of(store.db).find_one({"groups": group}, {"_id": 1})
    return found is not None


async def _regroup(
    store: DbInterface,
    keys: Sequence[str],
    *,
    joined: Set[str] = frozenset(),
    left: Set[str] = frozenset(),
) -> int:
    """Broken off in between, it is simply done again."""
    number = 0
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]

        async def work(tx: Tx, batch: Sequence[str] = batch) -> int:
            return await _regroup_in(tx, batch, joined, left)

        number += await store.transact(work)
    return number


async def _regroup_in(tx: Tx, keys: Sequence[str], joined: Set[str], left: Set[str]) -> int:
    locations = tx.store.objects("locations").of(tx)
    shown = {"audience": 1, "links.has": 1, "groups": 1}
    found = await locations.find({"_id": {"$in": list(keys)}}, shown)
    changed = []
    for location in found:
        before = {*location.get("groups", ())}
        after = (before | joined) - left
        if after != before:
            changed.append((location, sorted(after)))
    for location, groups in changed:
        change: JsonMapping = {"$set": {"groups": groups}} if groups else {"$unset": {"groups": ""}}
        await locations.update_one({"_id": location["_id"]}, change)
    if changed:
        await audit.record(
            tx,
            "locations.group",
            *(About("group", name) for name in sorted(joined | left)),
            *(audit.location(location["_id"]) for location, _ in changed[:MAX_NAMED]),
            after={
                "joined": sorted(joined),
                "left": sorted(left),
                "locations": len(changed),
            },
        )
    await renew("locations", await mark_regrouped(changed, tx), tx)
    return len(changed)
