"""A peer that asks for too much waits behind itself; how much others get is counted, not timed."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cpo_app import shares as shares_module
from cpo_app.ocpi.server.peer_shares import refused
from cpo_app.shares import Buckets, Shares
from crud.cpo_crud import CpoCrud
from domain.errors import TooManyRequests
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import MakeFace, PeerSide
from tests.peers.subjects import assert_refused

GREEDY = "greedy"
OTHERS = tuple(f"other-{number}" for number in range(7))


async def settled() -> None:
    """Everybody has gone as far as he can without anything being answered."""
    for _ in range(5):
        await asyncio.sleep(0)


async def answered(demand: dict[str, int], shares: Shares, number: int) -> Counter[str]:
    """How many of `number` requests were each peer's, where one is answered at a time, the oldest
    in work first, and each peer has so many clients that ask again as soon as they are answered."""
    in_work: deque[tuple[str, asyncio.Event]] = deque()
    done: Counter[str] = Counter()

    async def client(peer_id: str) -> None:
        while True:
            async with shares.place(peer_id):
                finished = asyncio.Event()
                in_work.append((peer_id, finished))
                await finished.wait()

    clients = [asyncio.create_task(client(peer)) for peer, n in demand.items() for _ in range(n)]
    for _ in range(number):
        await settled()
        peer_id, finished = in_work.popleft()
        done[peer_id] += 1
        finished.set()
    for task in clients:
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    return done


def at_rest() -> float:
    """A clock that stands still: all have asked just now."""
    return 0.0


@pytest.mark.parametrize("others", [4, 1], ids=["at their share", "below it"])
def test_a_peer_at_a_hundred_times_its_share_slows_the_others_by_less_than_a_twentieth(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares_module, "MAX_WAITING", 1000)
    share = 32 // (len(OTHERS) + 1)

    def play(greedy: int) -> Counter[str]:
        demand = {GREEDY: greedy, **dict.fromkeys(OTHERS, others)}
        return asyncio.run(answered(demand, Shares(8, 32, at_rest, refused=refused), 2000))

    fair, flooded = play(share), play(100 * share)
    for other in OTHERS:
        assert flooded[other] >= 0.95 * fair[other], (fair, flooded)


def test_who_is_alone_has_a_quarter_and_who_was_away_has_no_share() -> None:
    now = 0.0

    async def play() -> list[int]:
        nonlocal now
        shares = Shares(8, 32, lambda: now, refused=refused)
        most = []
        for peers in (1, 8, 1):
            now += 10
            together: Counter[str] = Counter()

            async def client(peer_id: str, counted: Counter[str]) -> None:
                async with shares.place(peer_id):
                    counted[peer_id] += 1
                    await asyncio.Event().wait()

            clients = [
                asyncio.create_task(client(f"p{number % peers}", together))
                for number in range(20 * peers)
            ]
            await settled()
            most.append(max(together.values()))
            for task in clients:
                task.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
        return most

    # Of eight, whoever comes first has more for as long as that takes.
    alone, _, alone_again = asyncio.run(play())
    assert (alone, alone_again) == (8, 8)


def test_nobody_waits_for_ever_and_no_place_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_module, "MAX_WAIT_S", 0.01)

    async def play() -> None:
        shares = Shares(1, 1, refused=refused)
        async with shares.place("a"):
            for waiting in ("a", "b"):
                with pytest.raises(TooManyRequests, match="Too many requests at once"):
                    async with shares.place(waiting):
                        raise AssertionError("there is one place")
            monkeypatch.setattr(shares_module, "MAX_WAIT_S", 30)
            leaves, stays = (asyncio.create_task(shares.place("b").__aenter__()) for _ in range(2))
            await settled()
            leaves.cancel()
        await asyncio.wait_for(stays, 5)

    asyncio.run(play())


def test_who_goes_away_when_it_is_his_turn_hands_it_on() -> None:
    async def play() -> None:
        shares = Shares(1, 1, refused=refused)
        first = shares.place("a")
        await first.__aenter__()
        leaves, stays = (asyncio.create_task(shares.place("b").__aenter__()) for _ in range(2))
        await settled()
        await first.__aexit__(None, None, None)
        leaves.cancel()  # it has its place and does not know it yet
        await asyncio.wait_for(stays, 5)

    asyncio.run(play())


def test_a_bucket_holds_a_minute_and_fills_evenly() -> None:
    now = 0.0
    buckets = Buckets(60, lambda: now, refused=refused)

    def taken(peer_id: str = "a") -> int:
        number = 0
        while True:
            try:
                buckets.take(peer_id)
            except TooManyRequests as error:
                assert error.retry_after_s == 1
                return number
            number += 1

    assert (taken(), taken(), taken("b")) == (60, 0, 60)
    now += 2.5
    assert taken() == 2
    now += 3600
    assert taken() == 60
    for _ in range(1000):
        Buckets(0, refused=refused).take("a")


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], asyncio.Event]:
    """`hanging(peer_id)`: lists of that peer are not answered until the event is set."""
    listing = CpoCrud.list

    def hang(peer_id: str) -> asyncio.Event:
        go_on = asyncio.Event()

        async def list_(self: Any, *arguments: Any, **keywords: Any) -> Any:
            if keywords["peer_id"] == peer_id:
                await go_on.wait()
            return await listing(self, *arguments, **keywords)

        monkeypatch.setattr(CpoCrud, "list", list_)
        return go_on

    return hang


def test_a_peer_whose_requests_hang_holds_up_itself_alone(
    make_face: MakeFace,
    loop: Loop,
    hanging: Callable[[str], asyncio.Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares_module, "MAX_WAITING", 3)
    face = make_face(CPO_PEER_REQUESTS_AT_ONCE=2)
    greedy, other = face.connected("DE*GRD"), face.connected("NL*OTH")
    go_on = hanging(greedy.peer_id)

    async def play() -> tuple[httpx.Response, list[int]]:
        async with httpx.AsyncClient(timeout=20) as http:
            url = face.module("locations")
            asked = [
                asyncio.create_task(http.get(url, headers=greedy.headers)) for _ in range(2 + 3 + 1)
            ]
            done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert (await http.get(url, headers=other.headers)).status_code == 200
            assert not any(task.done() for task in waiting)
            go_on.set()
            statuses = [(await task).status_code for task in waiting]
            return done.pop().result(), statuses

    refused, taken = loop.run(play())
    assert_refused(refused, 2000, 429)
    assert refused.headers["retry-after"] == "1"
    assert taken == [200] * 5


def test_requests_a_minute_are_bounded_by_setting_and_refused_in_an_envelope(
    make_face: MakeFace,
) -> None:
    face = make_face(CPO_PEER_REQUESTS_PER_MINUTE=5)
    eager, other = face.connected("DE*EAG"), face.connected("NL*OTH")

    def ask(peer: PeerSide) -> httpx.Response:
        return peer.get("locations", headers={"X-Request-ID": "r-1"})

    assert [ask(eager).status_code for _ in range(5)] == [200] * 5
    refused = ask(eager)
    assert_refused(refused, 2000, 429)
    assert refused.json()["status_message"] == "Too many requests a minute"
    assert 1 <= int(refused.headers["retry-after"]) <= 12
    assert refused.headers["x-request-id"] == "r-1"
    assert ask(other).status_code == 200
