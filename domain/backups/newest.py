"""After a restore our locations and tariffs are the newest that there are, with stamps of now.

Peers have seen later states than those that came back, and may have pulled them under later stamps:
a peer that asks for what is newer, or leaves alone what is older, would keep them for ever. What
only charging can change (sessions, CDRs) is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, plain
from db_interface.transaction import Tx
from domain.outbox.publishing import publish
from domain.schemas import format_datetime, parse_datetime
from domain.sites.last_updated import MIN_STEP

_AT_ONCE = 20


@dataclass(frozen=True)
class Renewed:
    """How many were stamped, and are marked for every peer that may see them."""

    locations: int
    tariffs: int


async def renew(store: DbInterface) -> Renewed:
    return Renewed(await _renew(store, "locations"), await _renew(store, "tariffs"))


async def _renew(store: DbInterface, module: str) -> int:
    """In order of their keys, so that each comes once; how many."""
    key, total = "", 0
    while rows := await store.objects(module).documents(
        {"_id": {"$gt": key}}, fields={"_id": 1}, sort=[("_id", 1)], limit=_AT_ONCE
    ):
        keys = [row["_id"] for row in rows]

        async def work(tx: Tx, keys: list[str] = keys) -> None:
            for each in keys:
                await _stamp(tx, module, each)

        await store.transact(work)
        key, total = keys[-1], total + len(keys)
    return total


async def _stamp(tx: Tx, module: str, key: str) -> None:
    document = await tx.store.objects(module).document(key, tx)
    if document is None:
        return
    known = plain(document)
    stamp = max(tx.now, document["last_updated"] + MIN_STEP)
    fields = _stamped(known, format_datetime(stamp))
    renewed = OwnedObject(
        country_code=known["country_code"],
        party_id=known["party_id"],
        key_parts=(known["id"],),
        fields=fields,
        last_updated=parse_datetime(fields["last_updated"]),
        audience=document["audience"],
        links=document.get("links", {}),
    )
    await publish(tx.store, module, renewed, tx)


def _stamped(part: JsonObject, stamp: str) -> JsonObject:
    """With its EVSEs and their connectors, in the order in which it has its fields."""
    changed = {**part, "last_updated": stamp}
    for name in ("evses", "connectors"):
        if name in part:
            changed[name] = [_stamped(one, stamp) for one in part[name]]
    return changed
