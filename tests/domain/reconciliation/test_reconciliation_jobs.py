"""A reconciliation is one worker's at a time, and due again when it was said to be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from db_interface.database import Database
from domain.reconciliation import reconciliation_jobs as jobs
from tests.conftest import Loop


def test_one_worker_has_it_and_then_it_is_not_due_for_a_while(db: Database, loop: Loop) -> None:
    now = datetime.now(timezone.utc)  # leases go by MongoDB's own clock

    def claim(owner: str) -> bool:
        return loop.run(jobs.claim(db, "registers", owner, now - timedelta(seconds=60)))

    assert claim("one")
    assert not claim("other")
    loop.run(jobs.finished(db, "registers", "other", now))  # not its own to finish
    assert not claim("other")
    assert loop.run(jobs.last_done(db, "registers")) is None
    loop.run(jobs.finished(db, "registers", "one", now + timedelta(hours=1)))
    assert not claim("other")
    assert loop.run(jobs.last_done(db, "registers")) is not None


def test_the_next_night() -> None:
    noon = datetime(2026, 11, 21, 12, 30, tzinfo=timezone.utc)
    assert jobs.next_hour(noon, 3) == datetime(2026, 11, 22, 3, tzinfo=timezone.utc)
    assert jobs.next_hour(noon, 13) == datetime(2026, 11, 21, 13, tzinfo=timezone.utc)
