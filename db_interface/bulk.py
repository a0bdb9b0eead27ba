"""Many small writes in one round trip, and reads of what can no longer be rolled back.

It knows no collection's shape. Inside a transaction the writes are part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import DeleteOne, UpdateOne
from pymongo.read_concern import ReadConcern

from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx, mongo_session

_AT_ONCE = 1000


async def upsert_each(
    collection: Any,
    changes: Sequence[tuple[str, JsonMapping]],
    tx: Tx | None = None,
) -> None:
    """Apply (id, update) pairs, each making its document where there is none."""
    for start in range(0, len(changes), _AT_ONCE):
        await collection.bulk_write(
            [
                UpdateOne({"_id": key}, update, upsert=True)
                for key, update in changes[start : start + _AT_ONCE]
            ],
            ordered=False,
            session=mongo_session(tx),
        )


async def delete_each(collection: Any, filters: Sequence[JsonMapping]) -> int:
    """Delete one document for each filter; how many there were."""
    if not filters:
        return 0
    outcome = await collection.bulk_write([DeleteOne(wanted) for wanted in filters], ordered=False)
    return int(outcome.deleted_count)


def settled(collection: Any) -> Any:
    """The collection, read as far as a majority has it: what is seen stays, whoever dies."""
    return collection.with_options(read_concern=ReadConcern("majority"))
