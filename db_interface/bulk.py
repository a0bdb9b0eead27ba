"""Many small writes in one round trip.

It knows no collection's shape. Inside a transaction the writes are part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import DeleteOne, UpdateOne

from db_interface.collection import Documents
from db_interface.joint.operations import OneChange
from db_interface.json_data import JsonMapping

_AT_ONCE = 1000


async def upsert_each(
    documents: Documents[Any],
    changes: Sequence[tuple[str, JsonMapping]],
) -> None:
    """Apply (id, update) pairs, each making its document where there is none."""
    await documents.to_be_written()
    for start in range(0, len(changes), _AT_ONCE):
        await documents.change_each(
            [
                OneChange({"_id": key}, update, upsert=True)
                for key, update in changes[start : start + _AT_ONCE]
            ]
        )


async def update_each(
    documents: Documents[Any], changes: Sequence[tuple[JsonMapping, JsonMapping]]
) -> None:
    """Apply (filter, update) pairs, each to the one document that matches; none is made."""
    if changes:
        await documents.to_be_written()
        await documents.change_each([OneChange(wanted, update) for wanted, update in changes])


async def update_if_all(
    documents: Documents[Any], changes: Sequence[tuple[JsonMapping, JsonMapping]]
) -> bool:
    """`update_each` outside of any transaction; whether each has met its document."""
    if not changes:
        return True
    requests = [UpdateOne(wanted, update) for wanted, update in changes]
    outcome = await documents.driver.bulk_write(requests, ordered=False)
    return int(outcome.matched_count) == len(changes)


async def delete_each(documents: Documents[Any], filters: Sequence[JsonMapping]) -> int:
    """Delete one document for each filter; how many there were."""
    if not filters:
        return 0
    driver = await documents.to_be_written()
    outcome = await driver.bulk_write(
        [DeleteOne(wanted) for wanted in filters], ordered=False, session=documents.mongo
    )
    return int(outcome.deleted_count)
