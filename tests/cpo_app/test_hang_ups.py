"""Who hangs up, and who is slow, is no failure of the store: in no answer and in no log line."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message

from auth.credentials_header import encoded
from cpo_app.central import errors as central_errors
from cpo_app.console import routes as console_routes
from db_interface.database import Database, StoreUnavailable
from domain.charge_points import registrations
from domain.peers.terms import ANY_PARTY
from tests.conftest import Loop
from tests.cpo_app.central.conftest import token
from tests.cpo_app.doors import ADMIN_KEY, Doors, HangsUp, ask, basic, engine_door, scope_of


@pytest.fixture
def doors(db: Database) -> Doors:
    return Doors.on(db)


Sent = tuple[ASGIApp, str, str, dict[str, str]]


@pytest.fixture
def with_bodies(doors: Doors, loop: Loop, tmp_path: Path) -> dict[str, Sent]:
    """A request with a body and the right to send it, at each door."""

    async def invited() -> str:
        peers = doors.backend.peers
        return (await peers.invite("eMSP", doors.backend.db.now(), ANY_PARTY))[1]

    engine = engine_door(tmp_path)
    operator = {**basic(), "Origin": "http://127.0.0.1", "Host": "127.0.0.1"}
    form = {**operator, "Content-Type": "application/x-www-form-urlencoded"}
    ocpi = {"Authorization": encoded(loop.run(invited()))}
    return {
        "OCPI": (doors.main, "POST", "/ocpi/cpo/2.2.1/credentials", ocpi),
        "Central": (
            doors.main,
            "POST",
            "/cp/heartbeat",
            {"Authorization": f"Bearer {token('CP-001')}"},
        ),
        "operator": (doors.main, "PUT", "/cp/CP-001/operative", operator),
        "console": (doors.main, "POST", "/console/peers", form),
        "registry": (doors.registry, "POST", "/cp/register", {"X-Registry-API-Key": ADMIN_KEY}),
        "open registry": (doors.registry, "POST", "/cp/authenticate", {}),
        "engine": (
            engine,
            "POST",
            "/sim",
            {"Host": "localhost", "Content-Type": "application/json"},
        ),
    }


DOORS = ["OCPI", "Central", "operator", "console", "registry", "open registry", "engine"]


@pytest.mark.parametrize("door", DOORS)
def test_who_hangs_up_leaves_no_warning(
    door: str, with_bodies: dict[str, Sent], loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    app, method, path, headers = with_bodies[door]
    caplog.set_level(logging.INFO)
    caplog.clear()
    answers: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    async def play() -> None:
        await app(scope_of(method, path, headers), HangsUp().receive, send)

    loop.run(play())

    assert answers == [400]
    said = [record for record in caplog.records if record.name.startswith(("cpo", "uvicorn"))]
    assert [record.getMessage() for record in said if record.levelno > logging.INFO] == []
    assert len(said) <= 1


@pytest.mark.parametrize("door", ["Central", "console"])
def test_who_is_slow_does_not_make_the_store_look_slow(
    door: str,
    with_bodies: dict[str, Sent],
    loop: Loop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As long as the body takes, the time for the answer does not run."""
    app, method, path, headers = with_bodies[door]
    running: list[float] = []
    waits = asyncio.wait_for

    async def wait_for(work: object, timeout: float) -> object:
        running.append(timeout)
        return await waits(work, timeout)  # type: ignore[arg-type]

    for module in (central_errors, console_routes):
        monkeypatch.setattr(module.asyncio, "wait_for", wait_for)
    if sys.version_info >= (3, 11):
        within = asyncio.timeout

        def timeout(delay: float | None) -> asyncio.Timeout:
            running.append(delay or 0.0)
            return within(delay)

        monkeypatch.setattr(asyncio, "timeout", timeout)
    limits = (central_errors.ANSWER_WITHIN_S, console_routes.ANSWER_WITHIN_S)

    async def play() -> int:
        arrived = asyncio.Event()
        answers: list[int] = []

        async def receive() -> Message:
            await arrived.wait()
            return {"type": "http.request", "body": b"{}", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answers.append(message["status"])

        async def request() -> None:
            await app(scope_of(method, path, headers), receive, send)

        asked = asyncio.create_task(request())
        for _ in range(50):
            await asyncio.sleep(0)
        assert not asked.done() and not set(limits) & set(running)
        arrived.set()
        await asked
        assert set(limits) & set(running)
        return answers[0]

    assert loop.run(play()) in (400, 403)
    assert "the store" not in caplog.text


def test_a_registry_whose_store_is_away_says_so_once_and_not_what_was_asked(
    doors: Doors, loop: Loop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(registrations, "get", away)
    path, key = "/cp/CP-" + "x" * 500, {"X-Registry-API-Key": ADMIN_KEY}
    answer = ask(loop, doors.registry, "GET", path, headers=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert [record.getMessage() for record in caplog.records] == [
        "the store does not answer: StoreUnavailable"
    ]
