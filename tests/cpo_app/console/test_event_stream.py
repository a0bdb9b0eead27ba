"""The stream by which a page hears that it should look again, over a real server's front door."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from cpo_app.console import event_stream
from cpo_app.front_door.serving import FrontDoor
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.operators import logins
from domain.operators.logins import LOGINS
from tests.cpo_app.console.test_login import browser, enter
from tests.cpo_app.console.worlds import PASSWORD, Night, Visit, basic
from tests.serving import running

SHOWS = {"shows": "charge_points:CP-001"}
ACCEPT = {"Accept": "text/event-stream"}


@contextmanager
def served(visit: Visit) -> Iterator[str]:
    config = uvicorn.Config(visit.app, lifespan="off", **FrontDoor().options())
    with running(config, visit.night.loop) as base:
        yield base


def touch(night: Night, cp_id: str, **fields: object) -> None:
    night.loop.run(CHARGE_POINTS.of(night.db).update_one({"_id": cp_id}, {"$set": fields}))


def test_a_page_hears_of_its_charge_point_and_of_no_other(own_night: Night) -> None:
    with served(own_night.visit()) as base, httpx.Client(base_url=base, timeout=60) as http:
        http.headers.update(basic(PASSWORD))
        with http.stream("GET", event_stream.PATH, params=SHOWS, headers=ACCEPT) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["x-accel-buffering"] == "no"
            lines = answer.iter_lines()
            # As soon as the store is watched: what came between page and stream is not missed.
            assert next(line for line in lines if line.startswith("event")) == "event: changed"
            touch(own_night, "CP-BAD", seen_in_test=1)
            touch(own_night, "CP-001", seen_in_test=1)
            assert next(line for line in lines if line.startswith("event")) == "event: changed"


def test_a_stream_ends_with_the_login_and_is_no_use_of_it(
    own_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream.add_event_stream, "__kwdefaults__", {"ping_s": 0.05})
    visit = browser(own_night)
    assert enter(visit, "admin", PASSWORD).status_code == 303
    secret = visit.http.cookies["cpo_login"]
    (before,) = own_night.loop.run(LOGINS.of(own_night.db).find({"_id": logins.digest(secret)}))
    with served(visit) as base, httpx.Client(base_url=base, timeout=60) as http:
        cookie = {"Cookie": f"cpo_login={secret}", **ACCEPT}
        with http.stream("GET", event_stream.PATH, params=SHOWS, headers=cookie) as answer:
            lines = answer.iter_lines()
            assert [next(lines) for _ in range(12)].count(": still here") >= 1
            (now,) = own_night.loop.run(LOGINS.of(own_night.db).find({"_id": before["_id"]}))
            assert now["used"] == before["used"]

            own_night.loop.run(logins.end(own_night.db, secret))
            assert "event: ended" in list(lines)
        refused = http.get(event_stream.PATH, params=SHOWS, headers=cookie)
        assert refused.status_code == 401


def test_a_server_that_stops_does_not_wait_for_open_streams(
    own_night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    visit = own_night.visit()
    heard, over = threading.Event(), threading.Event()

    def listen(base: str) -> None:
        with httpx.Client(base_url=base, timeout=60, headers=basic(PASSWORD)) as http:
            try:
                with http.stream("GET", event_stream.PATH, params=SHOWS) as answer:
                    for _ in answer.iter_raw():
                        heard.set()
            except httpx.RemoteProtocolError:
                pass  # cut off in the middle: the server is gone
        over.set()

    with served(visit) as base:
        threading.Thread(target=listen, args=(base,), daemon=True).start()
        assert heard.wait(60)
    assert over.wait(60)
    # uvicorn says so where it had to cancel what did not end.
    assert caplog.messages == []


def test_what_is_no_topic_is_no_stream(night: Night) -> None:
    visit = night.visit()
    assert visit.get(event_stream.PATH, params={"shows": "logins"}).status_code == 404
    assert visit.get(event_stream.PATH).status_code == 400
