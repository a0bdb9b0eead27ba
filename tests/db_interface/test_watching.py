"""Whoever watches hears of every change, of the collections that he named alone."""

from __future__ import annotations

import contextlib

from db_interface.database import Database
from db_interface.watching import changed
from tests.conftest import Loop


def test_what_is_written_changed_or_deleted_is_heard_of_and_nothing_else(
    db: Database, loop: Loop
) -> None:
    async def run() -> set[tuple[str, str]]:
        cars, other = db.client[db.name]["cars"], db.client[db.name]["other"]
        await cars.insert_one({"_id": "there"})
        heard: set[tuple[str, str]] = set()
        async with contextlib.aclosing(changed(db, ["cars", "vans"])) as news:
            assert await anext(news) is None
            await cars.insert_one({"_id": "new"})
            await other.insert_one({"_id": "unheard"})
            await cars.update_one({"_id": "there"}, {"$set": {"a": 1}})
            await cars.delete_one({"_id": "there"})
            await db.client[db.name]["vans"].insert_one({"_id": 7})
            while ("vans", "7") not in heard:
                changes = await anext(news)
                heard |= changes or set()
        return heard

    assert loop.run(run()) == {("cars", "new"), ("cars", "there"), ("vans", "7")}


def test_who_stops_listening_leaves_no_cursor_behind(db: Database, loop: Loop) -> None:
    async def open_cursors() -> int:
        """Of this test: what others left in the database is no matter of it."""
        answer = await db.client.admin.command(
            {
                "aggregate": 1,
                "pipeline": [
                    {"$currentOp": {"idleCursors": True, "allUsers": True}},
                    {"$match": {"ns": {"$regex": f"^{db.name}\\."}, "type": "idleCursor"}},
                ],
                "cursor": {},
            }
        )
        found = answer["cursor"]["firstBatch"]
        return sum("lorries" in str(one["cursor"]["originatingCommand"]) for one in found)

    async def run() -> tuple[int, int]:
        news = changed(db, ["lorries"])
        await anext(news)
        while_open = await open_cursors()
        await news.aclose()
        return while_open, await open_cursors()

    assert loop.run(run()) == (1, 0)
