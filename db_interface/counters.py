"""How many objects there are, per module, owner and audience: counted as they are written.

Each number is the sum of several counters: transactions that run side by side write different
ones, so that none waits for another. A document of `counts`: _id, `module`, `owner`, `audience`
and `n`, its part of the number, which may be negative. (Stores of earlier versions also hold
{_id, seq}: the last place in an order of creation, which nobody reads any more.)
"""

from __future__ import annotations

from typing import TypedDict

from db_interface.collection import Collection
from db_interface.transaction import Tx


class Counter(TypedDict, total=False):
    _id: str
    module: str
    owner: str
    audience: str
    n: int


COUNTS: Collection[Counter] = Collection("counts")


async def count(tx: Tx, module: str, owner: str, audience: str, change: int) -> None:
    """So many more objects (or fewer) of that kind."""
    await COUNTS.of(tx).update_one(
        {"_id": f"{module}/{owner}/{audience}/{tx.in_flight.part}"},
        {
            "$inc": {"n": change},
            "$setOnInsert": {"module": module, "owner": owner, "audience": audience},
        },
        upsert=True,
    )
