"""Tokens are pulled: all at first, then what changed; what breaks off goes on where it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from cpo_app.ocpi.peer_services import token_pull
from cpo_app.ocpi.peer_services.token_pages import SLICE
from db_interface.database import Database
from domain.authorization.token_pulls import PullUnderWay
from domain.errors import InvalidParameters
from domain.objects.tokens import owned_token
from tests.conftest import Loop
from tests.cpo_app.ocpi.token_worlds import TokenWorld, token_world
from tests.domain.authorization.test_authorization import token


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[TokenWorld]:
    with token_world(db, loop) as world:
        yield world


def numbered(*numbers: int, **changed: Any) -> list[dict[str, Any]]:
    return [token(f"U{number}", **changed) for number in numbers]


def seconds_until_due(world: TokenWorld, peer_id: str) -> float:
    state = world.state(peer_id)
    assert state is not None
    due: datetime = state["due"]
    return (due - world.now).total_seconds()


def test_after_the_handshake_all_tokens_are_fetched_page_by_page(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(1, 2, 3, 4, 5)
    world.round()
    assert sorted(world.tokens()) == ["U1", "U2", "U3", "U4", "U5"]
    assert [one.query for one in emsp.requests] == [
        {"limit": "500"},
        {"limit": "500", "offset": "2"},
        {"limit": "500", "offset": "4"},
    ]
    headers = emsp.requests[0].headers
    assert (headers["ocpi-to-party-id"], headers["ocpi-from-party-id"]) == ("TNM", "EVC")
    assert 900 <= seconds_until_due(world, peer_id) <= 1100
    world.round()
    assert len(emsp.requests) == 3


def test_later_only_what_changed_since_the_last_complete_pull_began(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(1, 2)
    began = world.now
    world.round()
    world.advance(2000)
    emsp.requests.clear()
    emsp.tokens += numbered(3, last_updated="2025-05-01T12:10:00Z")
    world.round()
    wanted = (began - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [one.query.get("date_from") for one in emsp.requests] == [wanted]
    assert sorted(world.tokens()) == ["U1", "U2", "U3"]
    last = (world.state(peer_id) or {})["last"]["counts"]
    assert last == {"pages": 1, "received": 1, "created": 1}


def test_what_was_pulled_is_logged_in_words(
    world: TokenWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(1)
    world.round()
    said = f"peer {peer_id}: tokens pulled: 1 pages, 1 received, 1 created"
    assert said in caplog.messages


def test_a_pull_that_breaks_off_goes_on_where_it_was(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(1, 2, 3, 4, 5)
    emsp.pages_left = 1
    world.round()
    assert sorted(world.tokens()) == ["U1", "U2"]
    assert world.last_error(peer_id) == "pulling tokens: the peer answered HTTP 503"
    assert 15 <= seconds_until_due(world, peer_id) <= 30
    emsp.requests.clear()
    emsp.pages_left = None
    world.advance(31)
    world.round()
    assert [one.query["offset"] for one in emsp.requests] == ["2", "4"]
    assert len(world.tokens()) == 5
    state = world.state(peer_id) or {}
    assert state["failures"] == 0 and "problem" not in state and "run" not in state
    assert state["last"]["counts"] == {"pages": 3, "received": 5, "created": 5}


def test_it_waits_longer_the_more_often_it_fails_and_pulls_all_when_it_is_over(
    world: TokenWorld,
) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(1, 2, 3)
    emsp.pages_left = 0
    waits = []
    for _ in range(7):
        world.round()
        waits.append(seconds_until_due(world, peer_id))
        world.advance(waits[-1])
    assert 240 <= waits[4] <= 480 and max(waits) <= 1100
    emsp.pages_left = None
    world.round()
    assert len(world.tokens()) == 3
    assert "date_from" not in emsp.requests[-1].query


def test_a_page_that_is_gone_meanwhile_means_to_start_anew(world: TokenWorld) -> None:
    emsp, _ = world.emsp()
    emsp.tokens = numbered(1, 2, 3)
    emsp.pages_left = 1
    world.round()
    emsp.pages_left = None
    emsp.outdated_links = True
    emsp.page_size = 10
    emsp.requests.clear()
    world.advance(31)
    world.round()
    assert [one.query.get("offset") for one in emsp.requests] == ["2", None]
    assert len(world.tokens()) == 3


def test_a_worker_that_dies_is_followed_by_another_where_it_was(
    world: TokenWorld, loop: Loop
) -> None:
    emsp, _ = world.emsp()
    emsp.tokens = numbered(1, 2, 3, 4)
    dying = world.worker()

    async def die_at_the_second_page() -> None:
        await dying.round()
        while len(emsp.requests) < 1:
            await asyncio.sleep(0)
        emsp.at_page = asyncio.Event()
        while len(emsp.requests) < 2:
            await asyncio.sleep(0)
        await dying.stop()
        emsp.at_page.set()

    loop.run(die_at_the_second_page())
    assert sorted(world.tokens()) == ["U1", "U2"]
    emsp.requests.clear()
    world.round()
    assert emsp.requests == [], "its lease holds still"
    world.lease_ends()
    world.round()
    assert [one.query["offset"] for one in emsp.requests] == ["2"]
    assert len(world.tokens()) == 4


def test_two_workers_do_not_pull_the_same(world: TokenWorld, loop: Loop) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(1, 2, 3)
    first, second = world.worker(), world.worker()

    async def both() -> None:
        emsp.at_page = asyncio.Event()
        await asyncio.gather(first.round(), second.round())
        with pytest.raises(PullUnderWay):
            await second.pull_now(peer_id)
        emsp.at_page.set()
        await asyncio.gather(first.settled(), second.settled())

    loop.run(both())
    assert len(emsp.requests) == 2
    assert len(world.tokens()) == 3


def test_bad_and_foreign_tokens_are_skipped_and_the_others_kept(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp("DE*TNM", "DE*TWO")
    emsp.page_size = 10
    emsp.tokens = [
        *numbered(1),
        {"uid": "no more than that"},
        "not even an object",
        token("U2", whitelist="SOMETIMES"),
        *numbered(3, party="NL*ABC"),
        *numbered(4, party="DE*TWO"),
    ]
    report = world.loop.run(world.worker().pull_now(peer_id))
    assert report.complete
    assert report.counts == {"pages": 1, "received": 6, "created": 2, "bad": 3, "foreign": 1}
    assert sorted(world.tokens()) == ["U1", "U4"]
    # A platform of two parties is asked for both.
    assert "ocpi-to-party-id" not in emsp.requests[0].headers


def test_a_hub_brings_its_clients_tokens_but_none_of_a_party_with_a_peer(
    world: TokenWorld,
) -> None:
    world.emsp("DE*TNM")
    hub, hub_id = world.emsp("DE*HUB", role="HUB")
    hub.tokens = [*numbered(1, party="SE*FAR"), *numbered(2, party="DE*TNM")]
    report = world.loop.run(world.worker().pull_now(hub_id))
    assert report.counts == {"pages": 1, "received": 2, "foreign": 2}
    # From the beginning again: what was not its client's to bring before may be so now.
    world.approve(hub_id, "SE*FAR")
    report = world.loop.run(world.worker().pull_now(hub_id))
    assert report.date_from is None
    assert report.counts == {"pages": 1, "received": 2, "created": 1, "foreign": 1}
    assert list(world.tokens().values()) == ["SE*FAR"]
    assert hub.requests[0].headers["ocpi-to-party-id"] == "HUB"


def test_an_older_token_never_replaces_a_newer_one(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    pushed = token("U1", last_updated="2025-04-01T00:00:00Z", issuer="pushed")
    world.loop.run(world.store.create("tokens", owned_token(pushed)))
    emsp.tokens = [token("U1", last_updated="2025-03-31T23:59:59Z", issuer="overtaken")]
    report = world.loop.run(world.worker().pull_now(peer_id))
    assert report.counts == {"pages": 1, "received": 1, "older": 1}
    assert world.tokens() == {"U1": "pushed"}


def test_one_dead_emsp_holds_up_no_other(world: TokenWorld, loop: Loop) -> None:
    dead, _ = world.emsp("DE*AAA")
    alive, _ = world.emsp("DE*BBB")
    alive.tokens = numbered(1, party="DE*BBB")
    worker = world.worker()

    async def work() -> None:
        dead.at_page = asyncio.Event()
        await worker.round()
        while not await world.db["tokens"].count_documents({}):
            await asyncio.sleep(0.01)
        dead.at_page.set()
        await worker.settled()

    loop.run(work())
    assert list(world.tokens()) == ["U1"]


def test_peers_without_tokens_or_not_connected_are_left_alone(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    world.set_peer(peer_id, status="suspended")
    _, silent_id = world.emsp("DE*BBB")
    world.set_peer(silent_id, endpoints=[])
    world.round()
    assert emsp.requests == []
    for one in (peer_id, silent_id):
        with pytest.raises(InvalidParameters):
            world.loop.run(world.worker().pull_now(one))


def test_a_new_address_or_a_new_party_means_all_again(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    world.round()
    world.set_peer(peer_id, parties=["de*new", *world.loop.run(world.peers.get(peer_id)).parties])
    world.round()
    assert [one.query.get("date_from") for one in emsp.requests] == [None, None]
    world.loop.run(world.worker().pull_now(peer_id))
    world.loop.run(world.worker().pull_now(peer_id, full=True))
    assert [bool(one.query.get("date_from")) for one in emsp.requests[2:]] == [True, False]


def test_the_token_goes_to_no_other_host(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    other, _ = world.emsp("DE*BBB")
    emsp.tokens = numbered(1, 2, 3)
    emsp.base_url = other.base_url  # its links lead there
    report = world.loop.run(world.worker().pull_now(peer_id))
    assert (report.complete, report.problem) == (False, "the next page is at another host")
    assert other.requests == []


def test_it_runs_by_itself_and_ends_when_told(world: TokenWorld, loop: Loop) -> None:
    emsp, _ = world.emsp()
    emsp.tokens = numbered(1)
    worker = world.worker()

    async def work() -> None:
        worker.start()
        while not await world.db["tokens"].count_documents({}):
            await asyncio.sleep(0.01)
        await worker.stop()

    loop.run(work())
    assert list(world.tokens()) == ["U1"]


def test_a_page_far_longer_than_asked_for_is_refused(world: TokenWorld) -> None:
    emsp, peer_id = world.emsp()
    emsp.tokens = numbered(*range(1001))
    emsp.page_size = 1001
    world.round()
    assert world.tokens() == {}
    assert "holds 1001 objects, 500 were asked for" in world.last_error(peer_id)


def test_a_peer_with_more_tokens_than_it_may_have_is_not_pulled_on(
    db: Database, loop: Loop
) -> None:
    with token_world(db, loop, CPO_MAX_TOKENS_PER_PEER=4) as world:
        emsp, peer_id = world.emsp()
        emsp.tokens = numbered(*range(10))
        world.round()
        assert len(world.tokens()) == 4
        assert "more than 4 tokens" in world.last_error(peer_id)


def test_a_hostile_page_stalls_nobody_and_is_one_log_line(
    world: TokenWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted in turns that others get while it is judged, not in a clock's seconds."""
    emsp, peer_id = world.emsp()
    emsp.tokens = [{"uid": ["not", {"a": "token"}]} for _ in range(1000)]
    emsp.page_size = 1000
    turns = 0

    async def beside() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def pulled() -> int:
        pages = world.worker()._pages
        peer = await world.peers.get(peer_id)
        task = asyncio.create_task(beside())
        await asyncio.sleep(0)
        before = turns
        assert await pages._good(peer, emsp.tokens, Counter()) == []
        task.cancel()
        return turns - before

    assert world.loop.run(pulled()) >= 1000 // SLICE - 1
    lines = [line for line in caplog.messages if "are skipped as bad" in line]
    assert len(lines) == 1
    assert len(lines[0]) < 500


def test_of_many_peers_it_is_not_looked_each_time_who_there_is(
    world: TokenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due is pulled all the same."""
    emsp, _ = world.emsp()
    worker = world.worker()

    async def turn() -> None:
        await worker._turn()
        await worker.settled()

    monkeypatch.setattr(token_pull, "PEERS_PER_S", 0.001)
    world.loop.run(turn())
    later, later_id = world.emsp("DE*BBB")
    world.advance(2000)
    world.loop.run(turn())
    assert len(emsp.requests) == 2
    assert (later.requests, world.state(later_id)) == ([], None)
    worker._follow_at = 0.0
    world.loop.run(turn())
    assert len(later.requests) == 1
