"""The link over HTTP, against a fake engine on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from cpo_app.central.link.http_link import MAX_ANSWER_BYTES, Endpoint, HttpLink
from cpo_app.central.link.link import (
    ChargePointLink,
    LinkAnswer,
    LinkResult,
    LinkUnreachable,
    SessionEnd,
)
from tests.conftest import Loop
from tests.cpo_app.central.engine import FakeEngine
from tests.serving import free_port

KEY = "k" * 64


@pytest.fixture
def engine(loop: Loop) -> Iterator[FakeEngine]:
    engine = FakeEngine()
    engine.key = KEY
    with engine.running(loop):
        yield engine


@pytest.fixture
def link(engine: FakeEngine, loop: Loop) -> Iterator[ChargePointLink]:
    async def find(cp_id: str) -> Endpoint | None:
        return Endpoint(engine.host, engine.port, KEY) if cp_id == "CP-001" else None

    link = HttpLink(find, timeout_s=5)
    loop.run(link.start_up())
    yield link
    loop.run(link.close())


LIMIT = {
    "start_date_time": "2025-05-01T12:00:00Z",
    "duration": 600,
    "charging_rate_unit": "W",
    "min_charging_rate": 1.5,
    "charging_profile_period": [{"start_period": 0, "limit": 7}],
}
ENGINE_LIMIT = {
    "start": "2025-05-01T12:00:00Z",
    "duration_s": 600,
    "unit": "W",
    "min_charging_rate": 1.5,
    "periods": [{"start_s": 0, "limit": 7}],
}
EXPIRY = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
Ask = Callable[[ChargePointLink], Awaitable[Any]]


@pytest.mark.parametrize(
    ("ask", "sent"),
    [
        (
            lambda link: link.start("CP-001", "c", session_id="S", id_tag="T", connector_id="1"),
            {"kind": "start", "session_id": "S", "id_tag": "T", "connector_id": "1"},
        ),
        (
            lambda link: link.stop("CP-001", "c", session_id="S"),
            {"kind": "stop", "session_id": "S"},
        ),
        (
            lambda link: link.unlock("CP-001", "c", connector_id="1"),
            {"kind": "unlock", "connector_id": "1"},
        ),
        (
            lambda link: link.reserve("CP-001", "c", reservation_id="R", id_tag="T", expiry=EXPIRY),
            {
                "kind": "reserve",
                "reservation_id": "R",
                "id_tag": "T",
                "expiry": "2025-05-01T12:00:00Z",
            },
        ),
        (
            lambda link: link.cancel_reservation("CP-001", "c", reservation_id="R"),
            {"kind": "cancel_reservation", "reservation_id": "R"},
        ),
        (
            lambda link: link.set_limit("CP-001", "c", session_id="S", limit=LIMIT),
            {"kind": "limit", "session_id": "S", "limit": ENGINE_LIMIT},
        ),
        (
            lambda link: link.clear_limit("CP-001", "c", session_id="S"),
            {"kind": "clear_limit", "session_id": "S"},
        ),
        (
            lambda link: link.set_operative("CP-001", "c", operative=False),
            {"kind": "set_operative", "operative": False},
        ),
        (lambda link: link.get_status("CP-001", "c"), {"kind": "get_status"}),
    ],
)
def test_each_command_as_the_engine_gets_it(
    loop: Loop, link: ChargePointLink, engine: FakeEngine, ask: Ask, sent: dict[str, Any]
) -> None:
    assert loop.run(_await(ask, link)) == LinkAnswer(LinkResult.ACCEPTED)
    assert engine.asked == [{"command_id": "c", **sent}]


def test_what_the_engine_says_comes_back(
    loop: Loop, link: ChargePointLink, engine: FakeEngine
) -> None:
    engine.answer = {"result": "OCCUPIED", "message": "m" * 999, "status": {"state": "CHARGING"}}
    answer = loop.run(link.stop("CP-001", "c", session_id="S"))
    assert answer == LinkAnswer(LinkResult.OCCUPIED, "m" * 256, {"state": "CHARGING"})
    assert not answer.accepted


ENDED = {
    "energy_wh": 1234.5,
    "at": "2025-05-01T12:00:00Z",
    "reason": "unplugged",
    "boot_id": "boot-1",
    "seq": 17,
}


def test_ended_is_not_unknown(loop: Loop, link: ChargePointLink, engine: FakeEngine) -> None:
    engine.answer = {"result": "UNKNOWN_SESSION", "ended": ENDED}
    end = SessionEnd(1234.5, EXPIRY, "unplugged", "boot-1", 17)
    answer = loop.run(link.stop("CP-001", "c", session_id="S"))
    assert answer == LinkAnswer(LinkResult.SESSION_ENDED, ended=end)
    engine.answer = {"result": "ACCEPTED", "ended": ENDED}
    answer = loop.run(link.stop("CP-001", "c", session_id="S"))
    assert answer == LinkAnswer(LinkResult.ACCEPTED, ended=end)
    # An engine that does not know the difference, or the session.
    engine.answer = {"result": "UNKNOWN_SESSION"}
    answer = loop.run(link.stop("CP-001", "c", session_id="S"))
    assert answer == LinkAnswer(LinkResult.UNKNOWN_SESSION)
    engine.answer = {"result": "UNKNOWN_SESSION", "ended": {**ENDED, "energy_wh": -1}}
    with pytest.raises(LinkUnreachable) as refused:
        loop.run(link.stop("CP-001", "c", session_id="S"))
    assert refused.value.sent is True


def test_the_active_profile_or_none(loop: Loop, link: ChargePointLink, engine: FakeEngine) -> None:
    async def ask() -> Any:
        return await link.active_profile("CP-001", session_id="S", duration_s=600)

    assert loop.run(ask()) == {
        "start_date_time": "2025-05-01T12:00:00.123Z",
        "charging_profile": {
            "start_date_time": "2025-05-01T12:00:00.123Z",
            "duration": 600,
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": 11000.0}],
        },
    }
    assert engine.asked == [{"session_id": "S", "duration_s": "600"}]
    engine.instead = JSONResponse({"start": "2025-05-01T12:00:00Z", "periods": "none"})
    assert unreachable(loop, link, lambda link: ask()) is True
    engine.instead = JSONResponse({"error": "UNKNOWN_SESSION"}, 404)
    assert loop.run(ask()) is None
    engine.instead = JSONResponse({"error": "unauthorized"}, 401)
    assert unreachable(loop, link, lambda link: ask()) is False


@pytest.mark.parametrize(
    ("instead", "sent"),
    [
        (lambda: JSONResponse({"error": "unauthorized"}, 401), False),
        (lambda: JSONResponse({}, 503), True),
        (lambda: Response("no JSON"), True),
        (lambda: Response("[" * 200_000), True),
        (lambda: JSONResponse({"command_id": "another", "result": "ACCEPTED"}), True),
        (lambda: JSONResponse({"command_id": "c", "result": "PERHAPS"}), True),
        (lambda: JSONResponse({"command_id": "c"}), True),
        (lambda: JSONResponse(["c", "ACCEPTED"]), True),
        (lambda: Response(b" " * (MAX_ANSWER_BYTES + 1)), True),
        (lambda: RedirectResponse("/elsewhere"), True),
    ],
)
def test_no_usable_answer_says_whether_it_was_sent(
    loop: Loop, link: ChargePointLink, engine: FakeEngine, instead: Any, sent: bool
) -> None:
    engine.instead = instead()
    assert unreachable(loop, link, lambda link: link.get_status("CP-001", "c")) is sent
    assert engine.asked == []


def test_a_late_answer_may_have_been_sent(
    loop: Loop, link: ChargePointLink, engine: FakeEngine
) -> None:
    async def ask() -> bool | None:
        engine.hold = asyncio.Event()
        try:
            await link.get_status("CP-001", "c", timeout_s=0.1)
        except LinkUnreachable as error:
            return error.sent
        finally:
            engine.hold.set()
        raise AssertionError("it answered")

    assert loop.run(ask()) is None


def test_nobody_there_was_surely_not_sent(
    loop: Loop, link: ChargePointLink, engine: FakeEngine
) -> None:
    assert unreachable(loop, link, lambda link: link.get_status("CP-404", "c")) is False
    engine.port = free_port()
    assert unreachable(loop, link, lambda link: link.get_status("CP-001", "c")) is False


def test_the_key_is_in_no_text(loop: Loop, link: ChargePointLink, engine: FakeEngine) -> None:
    engine.instead = JSONResponse({}, 401)
    try:
        loop.run(link.get_status("CP-001", "c"))
    except LinkUnreachable as error:
        assert KEY not in f"{error!r} {error} {error.__cause__} {error.__context__}"
    assert KEY not in repr(Endpoint("h", 1, KEY))


def test_an_ipv6_address_gets_its_brackets() -> None:
    assert Endpoint("fd00::1", 8001, KEY).url("/command") == "http://[fd00::1]:8001/command"


async def _await(ask: Ask, link: ChargePointLink) -> Any:
    return await ask(link)


def unreachable(loop: Loop, link: ChargePointLink, ask: Ask) -> bool | None:
    """Whether it was sent, of a call that must fail."""
    with pytest.raises(LinkUnreachable) as caught:
        loop.run(_await(ask, link))
    return caught.value.sent
