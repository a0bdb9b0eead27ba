"""The page Kafka: how the events go, and what is done about them from there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.events import stream
from domain.events.marks import EVENT_MARKS, Touched, mark_again
from tests.cpo_app.console.worlds import EVIL, Night


@pytest.fixture
def kept_for(own_night: Night) -> Iterator[Night]:
    own_night.loop.run(stream.register(own_night.db, f"kafka:9092{EVIL}"))
    yield own_night
    stream.look_again(own_night.db)


def test_it_says_where_nothing_is_kept(own_night: Night) -> None:
    visit = own_night.visit()
    page = visit.get("/console/kafka").text
    assert "No events are kept" in page and "End the stream" not in page
    assert visit.submit("/console/events/resync", everything="yes").status_code == 409


def test_what_waits_is_shown_told_once_more_and_ended(kept_for: Night) -> None:
    night, visit = kept_for, kept_for.visit()

    async def put_off() -> None:
        await mark_again(night.db, [Touched("locations", "nl/evc/loc1")])
        wrong = {"$set": {"attempts": 2, "error": EVIL}}
        await EVENT_MARKS.of(night.db).update_many({}, wrong)

    night.loop.run(put_off())
    page = visit.get("/console/kafka").text
    assert "nobody" in page and "locations/nl/evc/loc1" in page
    assert EVIL not in page and "&lt;script&gt;" in page

    done = visit.submit("/console/events/resync", everything="yes")
    assert done.headers["location"].startswith("/console/kafka")
    assert "It is marked, and goes to Kafka." in visit.get(done.headers["location"]).text
    waiting = night.loop.run(EVENT_MARKS.of(night.db).count({"kind": "locations"}))
    assert waiting >= 1

    done = visit.submit("/console/events/off")
    assert "Nothing is kept for Kafka any more." in visit.get(done.headers["location"]).text
    assert night.loop.run(EVENT_MARKS.of(night.db).count({})) == 0
