"""Retention runs every night, in one of all workers, for as long as the settings say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cpo_app.forgetting import AT_HOUR, Forgetting
from db_interface.database import Database
from domain.sessions.session_records import SESSIONS
from tests.clock import Clock
from tests.conftest import Loop
from tests.settings_of import settings_of


def test_a_night_is_one_workers(db: Database, loop: Loop) -> None:
    db.clock = clock = Clock()
    clock.at = clock.at.replace(hour=AT_HOUR, minute=30)
    settings = settings_of(CPO_KEEP_SESSION_DETAILS_DAYS=30)
    old = {
        "_id": "settled",
        "status": "COMPLETED",
        "running": False,
        "ended": clock.at - timedelta(days=31),
        "segments": [1],
    }

    async def work() -> list[int]:
        workers = [Forgetting(db, settings) for _ in range(2)]
        for worker in workers:
            await worker.round()  # due for the first time tomorrow
        await SESSIONS.of(db).driver.insert_one(old)
        numbers = [await SESSIONS.of(db).count({"trimmed": {"$exists": True}})]
        # The database's clock alone decides what is due.
        due = {"$set": {"due": clock.at - timedelta(days=1)}}
        await db["reconciliation_jobs"].update_one({"_id": "retention"}, due)
        for worker in workers:
            await worker.round()
        return [*numbers, await SESSIONS.of(db).count({"trimmed": {"$exists": True}})]

    assert loop.run(work()) == [0, 1]


@pytest.mark.parametrize("days", [1, 29])
def test_details_that_a_correction_may_need_cannot_be_given_up(days: int) -> None:
    with pytest.raises(ValueError, match="0 \\(for ever\\) or at least 30"):
        settings_of(CPO_KEEP_SESSION_DETAILS_DAYS=days)
