"""The demonstration eMSP fails in the way that it was told to, and again in the same way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from cpo_app.cli.errors import CliError
from cpo_app.cli.faulty_emsp import duration, share
from cpo_app.demo_emsp.emsp import Emsp
from cpo_app.demo_emsp.faults import Fault, Faults
from cpo_app.demo_emsp.receiver import Receiver
from cpo_app.demo_emsp.registered import Door, Role, listening
from tests.conftest import Loop

TARIFF = {
    "country_code": "DE",
    "party_id": "CPO",
    "id": "T-1",
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "FLAT", "price": 1.0, "step_size": 1}]}],
    "last_updated": "2024-05-01T10:00:00Z",
}
Heard = list[tuple[str, str]]
Play = Callable[[Faults, Callable[[Receiver, httpx.AsyncClient], Awaitable[None]]], Heard]


@asynccontextmanager
async def _emsp(faults: Faults, heard: Heard) -> AsyncIterator[Receiver]:
    def hear(module: str, object_id: str, data: dict[str, object]) -> None:
        heard.append((module, str(data.get("status", object_id))))

    role = Role(("DE", "TNM"), [], hear, faults=faults)
    async with listening(role, Door()) as receiver:
        receiver.cpo = Emsp(receiver.http, "http://127.0.0.1:9/versions", receiver.version)
        receiver.registered = True
        yield receiver


@pytest.fixture
def play(loop: Loop) -> Play:
    """Let an eMSP with faults meet somebody; what it has heard."""

    def run(faults: Faults, ask: Callable[[Receiver, httpx.AsyncClient], Awaitable[None]]) -> Heard:
        heard: Heard = []

        async def meet() -> None:
            async with _emsp(faults, heard) as receiver, httpx.AsyncClient() as client:
                client.headers["Authorization"] = Emsp(
                    client, "", receiver.version, receiver.token
                ).authorization
                await ask(receiver, client)

        loop.run(meet())
        return heard

    return run


async def _put(receiver: Receiver, client: httpx.AsyncClient) -> httpx.Response:
    return await client.put(f"{receiver.modules_url}/tariffs/DE/CPO/T-1", json=TARIFF)


def test_without_faults_what_comes_is_taken_and_confirmed(play: Play) -> None:
    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        assert (await _put(receiver, client)).status_code == 201

    assert play(Faults(), ask) == [("tariffs", "T-1")]


def test_a_refused_connection_takes_nothing(play: Play) -> None:
    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.TransportError):
            await _put(receiver, client)

    assert play(Faults(refuse=1.0), ask) == [("fault", "refused")]


def test_a_status_is_answered_and_nothing_taken(play: Play) -> None:
    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        assert (await _put(receiver, client)).status_code == 503

    assert play(Faults(status=503), ask) == [("fault", "status")]


def test_dropped_after_reading_means_taken_and_not_answered(play: Play) -> None:
    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.TransportError):
            await _put(receiver, client)
        assert receiver.memory.get("tariffs", ("DE", "CPO", "T-1"))["currency"] == "EUR"

    heard = play(Faults(drop_after_read=True), ask)
    assert heard == [("fault", "dropped after reading"), ("tariffs", "T-1")]


def test_half_json_is_what_it_says(play: Play) -> None:
    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        answer = await _put(receiver, client)
        assert answer.status_code == 201
        with pytest.raises(json.JSONDecodeError):
            answer.json()

    assert play(Faults(half_json=True), ask) == [("fault", "half JSON"), ("tariffs", "T-1")]


def test_slow_answers_come_late_and_whole(play: Play) -> None:
    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        assert (await _put(receiver, client)).json()["status_code"] == 1000
        assert loop.time() - asked >= 0.2

    assert play(Faults(slow_s=0.2), ask) == [("fault", "slow"), ("tariffs", "T-1")]


def test_the_connection_lives_on_after_a_fault_that_leaves_it(play: Play) -> None:
    faults = Faults(half_json=True, status=500, share=0.5, seed=4)

    async def ask(receiver: Receiver, client: httpx.AsyncClient) -> None:
        for _ in range(12):
            await _put(receiver, client)

    kinds = [kind for module, kind in play(faults, ask) if module == "fault"]
    assert {"half JSON", "status"} == set(kinds)
    assert kinds == [
        fault.value
        for number in range(1, 13)
        if (fault := faults.of("PUT", "/ocpi/emsp/2.2.1/tariffs/DE/CPO/T-1", number))
    ]


def test_a_seed_brings_the_same_faults_and_another_one_others() -> None:
    def course(seed: int) -> list[Fault | None]:
        faults = Faults(refuse=0.2, slow_s=1.0, status=500, share=0.5, seed=seed)
        return [faults.of("GET", "/tokens", number) for number in range(100)]

    assert course(1) == course(1)
    assert course(1) != course(2)
    assert {Fault.REFUSED, Fault.SLOW, Fault.STATUS, None} == set(course(1))


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("0.05", 0.05), ("100%", 1), ("0", 0)])
def test_a_share_is_a_percentage_or_a_number(text: str, value: float) -> None:
    assert share(text, "--refuse") == value


@pytest.mark.parametrize("text", ["", "101%", "2", "-1", "five", "5%%"])
def test_another_share_is_one_clear_line(text: str) -> None:
    with pytest.raises(CliError, match="--refuse: a share is written as"):
        share(text, "--refuse")


@pytest.mark.parametrize(("text", "value"), [("8s", 8), ("250ms", 0.25), ("1m", 60), ("2", 2)])
def test_a_time_has_its_unit(text: str, value: float) -> None:
    assert duration(text, "--slow") == value


def test_another_time_is_one_clear_line() -> None:
    with pytest.raises(CliError, match="--slow: a time is written as"):
        duration("soon", "--slow")
