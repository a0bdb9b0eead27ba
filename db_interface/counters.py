"""Counters by name: the order of creation of a collection, the number of objects per audience.

A document of `counts`: _id, and either `seq` (the last number given) or `module`, `owner`,
`audience` and `n` (how many objects of that kind there are; owned_objects.py counts them).
"""

from __future__ import annotations

from typing import TypedDict

from db_interface.collection import Collection
from db_interface.transaction import Tx


class Counter(TypedDict, total=False):
    _id: str
    seq: int
    module: str
    owner: str
    audience: str
    n: int


COUNTS: Collection[Counter] = Collection("counts")


async def next_seq(tx: Tx, name: str, number: int = 1) -> int:
    """Reserve `number` places of the sequence; the last of them.

    Inside the transaction, so order of places is order of commit: of two at once the second
    conflicts here and runs again.
    """
    counter = await COUNTS.of(tx).update_and_find(
        {"_id": name}, {"$inc": {"seq": number}}, upsert=True
    )
    assert counter is not None  # noqa: S101 (upsert)
    return counter["seq"]
