"""Who may ask the engine what: over its real HTTP port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from cpo_app.charge_point.engine import Engine, EngineError
from tests.cpo_app.charge_point.worlds import FakeCentral, new_engine, running, until

KEY = "c" * 64
START = {"command_id": "C1", "kind": "start", "session_id": "S1"}


class Caller:
    def __init__(self, engine: Engine, http: httpx.AsyncClient) -> None:
        self.engine = engine
        self.http = http

    async def __call__(self, method: str, path: str, key: str | None = None, **kw: Any) -> Any:
        headers: list[tuple[bytes, bytes]] = list(kw.pop("h", {}).items())
        if key is not None:
            headers.append((b"Authorization", f"Bearer {key}".strip().encode()))
        url = f"http://127.0.0.1:{self.engine.port}{path}"
        return await self.http.request(method, url, headers=headers, **kw)

    async def link(self, **changes: Any) -> Any:
        body = {"cp_id": "CP-001", "central_url": "http://127.0.0.1:9", "command_key": KEY}
        return await self("PUT", "/link", self.engine.link_key, json={**body, **changes})


@contextlib.asynccontextmanager
async def engine_up(state_dir: Path, **changes: Any) -> AsyncIterator[Caller]:
    engine = new_engine(state_dir, **changes)
    async with running(engine.run()), httpx.AsyncClient(trust_env=False) as http:
        yield Caller(engine, http)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 60))


def test_nobody_commands_without_centrals_key(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path) as call:
            # Before the link there is no key: neither none, nor an empty one, nor the link key.
            for key in (None, "", KEY, call.engine.link_key):
                assert (await call("POST", "/command", key, json=START)).status_code == 401
            assert (await call.link()).status_code == 200
            for key in (None, "", "c" * 63, call.engine.link_key, "ü"):
                refused = await call("POST", "/command", key, json=START)
                assert refused.status_code == 401
                profile = await call("GET", "/active_profile?session_id=S1", key)
                assert profile.status_code == 401
            assert call.engine.evse.session is None
            accepted = await call("POST", "/command", KEY, json=START)
            assert accepted.status_code == 200
            assert accepted.json()["result"] == "ACCEPTED"
            assert accepted.json()["status"]["state"] == "CHARGING"

    play(story)


def test_nobody_sets_the_link_without_the_link_key(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path) as call:
            body = {"cp_id": "CP-001", "central_url": "http://evil", "command_key": KEY}
            for key in (None, "", KEY):
                assert (await call("PUT", "/link", key, json=body)).status_code == 401
            assert not call.engine.link.linked
            assert (await call.link(cp_id="CP-002")).status_code == 409
            short = await call.link(command_key="short-secret")
            assert short.status_code == 400
            assert "short-secret" not in short.text
            assert (await call.link(central_url="file:///etc/passwd")).status_code == 400
            assert not call.engine.link.linked

    play(story)


def test_sim_is_for_the_link_key_or_this_host_when_switched_on(tmp_path: Path) -> None:
    async def story() -> None:
        plug = {"action": "plug", "soc": 50}
        async with engine_up(tmp_path) as call:
            assert (await call("POST", "/sim", json=plug)).status_code == 401
            assert (await call("POST", "/sim", call.engine.link_key, json=plug)).json() == {
                "status": {"connector_id": "1", "state": "PREPARING", "ev_state": "plugged"}
            }
            again = await call("POST", "/sim", call.engine.link_key, json=plug)
            assert again.status_code == 409
        async with engine_up(tmp_path / "b", simulation=True) as call:
            assert (await call("POST", "/sim", json=plug)).status_code == 200
            page = await call("POST", "/sim", content='{"action":"unplug"}')
            assert page.status_code == 415, "a page in a browser must not get through"
            speed = await call("POST", "/sim", json={"action": "speed", "factor": 60})
            assert speed.status_code == 200
            assert call.engine.evse.meter.speed == 60
            assert (await call("POST", "/sim", json={"action": "swipe"})).status_code == 400

    play(story)


def test_a_page_whose_name_was_made_to_point_here_reads_and_does_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path, simulation=True) as call:
            plug = {"action": "plug", "soc": 50}
            for host in (b"evil.example", b"evil.example:8001", b"localhost.evil.example"):
                rebound = {b"Host": host}
                assert (await call("GET", "/health", h=rebound)).status_code == 401
                assert (await call("POST", "/sim", h=rebound, json=plug)).status_code == 401
            forwarded = {b"X-Forwarded-For": b"203.0.113.9"}
            assert (await call("POST", "/sim", h=forwarded, json=plug)).status_code == 401
            # Its monitor may know it by such a name: it has the key. Others are who they say.
            named = {b"Host": b"engine-1.cpo.example"}
            key = call.engine.link_key
            assert (await call("GET", "/health", key, h=named)).status_code == 200
            for host in (b"192.168.1.5:8001", b"[::1]:8001", b"ev-cp-e-1:8001", b"localhost"):
                assert (await call("GET", "/health", h={b"Host": host})).status_code == 200
            assert (await call("POST", "/sim", json=plug)).status_code == 200

    play(story)


def test_health_is_open_says_faults_and_no_secret(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path, simulation=True) as call:
            await call.link(token="jwt-secret")
            healthy = await call("GET", "/health")
            assert healthy.status_code == 200
            facts = healthy.json()
            assert (facts["status"], facts["cp_id"], facts["state"], facts["faults"]) == (
                "ok", "CP-001", "AVAILABLE", [],
            )  # fmt: skip
            assert facts["linked"] is True
            await call("POST", "/sim", json={"action": "fault", "code": "GROUND_FAILURE"})
            faulty = await call("GET", "/health")
            assert faulty.status_code == 503
            assert faulty.json()["faults"] == [{"code": "GROUND_FAILURE", "message": ""}]
            assert faulty.json()["state"] == "FAULTED"
            for secret in ("jwt-secret", KEY, call.engine.link_key):
                assert secret not in healthy.text

    play(story)


def test_the_active_profile_is_told_for_the_running_session_only(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path) as call:
            await call.link()
            await call("POST", "/command", KEY, json=START)
            limit = {"unit": "W", "periods": [{"start_s": 0, "limit": 11000}]}
            body = {"command_id": "C2", "kind": "limit", "session_id": "S1", "limit": limit}
            assert (await call("POST", "/command", KEY, json=body)).json()["result"] == "ACCEPTED"
            path = "/active_profile?session_id={}&duration_s={}"
            answer = (await call("GET", path.format("S1", 600), KEY)).json()
            assert answer["periods"] == [{"start_period": 0, "limit": 11000}]
            assert answer["duration_s"] == 600
            unknown = await call("GET", path.format("S2", 600), KEY)
            assert (unknown.status_code, unknown.json()["error"]) == (404, "UNKNOWN_SESSION")
            assert (await call("GET", path.format("S1", "x"), KEY)).status_code == 400

    play(story)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{bad", 400),
        (b"[]", 400),
        (b"[" * 100_000, 400),
        (b'{"command_id": "C", "kind": "explode"}', 400),
        (b" " * 300_000, 413),
    ],
)
def test_unusable_bodies_are_answered_not_suffered(
    tmp_path: Path, content: bytes, status: int
) -> None:
    async def story() -> None:
        async with engine_up(tmp_path) as call:
            await call.link()
            h = {b"Content-Type": b"application/json"}
            answer = await call("POST", "/command", KEY, content=content, h=h)
            assert answer.status_code == status
            assert set(answer.json()) == {"error", "detail", "timestamp"}
            assert answer.json()["error"] == {400: "bad_request", 413: "too_large"}[status]
            assert (await call("GET", "/health")).status_code == 200

    play(story)


def test_the_routers_own_errors_have_the_one_shape(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path) as call:
            nowhere, wrong = await call("GET", "/nowhere"), await call("GET", "/command")
            assert (nowhere.status_code, nowhere.json()["error"]) == (404, "not_found")
            assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")

    play(story)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with engine_up(tmp_path) as call:
            with pytest.raises(EngineError, match="cannot start on port"):
                new_engine(tmp_path / "b", health_port=call.engine.port)
            with pytest.raises(EngineError, match="in use by another engine"):
                new_engine(tmp_path)

    play(story)


def test_a_card_starts_and_stops_what_central_allows(tmp_path: Path) -> None:
    async def story() -> None:
        central = FakeCentral()
        await central.up()
        async with engine_up(tmp_path, simulation=True) as call:
            await call.link(central_url=central.url)

            async def swipe(uid: str) -> Any:
                return (
                    await call("POST", "/sim", json={"action": "swipe", "token_uid": uid})
                ).json()

            await call("POST", "/sim", json={"action": "plug"})
            blocked = await swipe("card-1")
            assert blocked["swipe"] == {"action": "none", "allowed": "BLOCKED"}
            central.card_answer = {"allowed": "ALLOWED", "action": "start", "session_id": "S1"}
            started = await swipe("card-1")
            assert started["swipe"]["result"] == "ACCEPTED"
            assert started["status"]["state"] == "CHARGING"
            asked = [body for path, body, _ in central.calls if path == "/cp/authorize"]
            assert asked[-1] == {
                "cp_id": "CP-001",
                "connector_id": "1",
                "token_uid": "card-1",
                "token_type": "RFID",
            }

            # Another card: Central says that it may stop this session (same group).
            central.card_answer = {"allowed": "ALLOWED", "action": "stop", "session_id": "S1"}
            stopped = await swipe("card-2")
            assert stopped["swipe"]["result"] == "ACCEPTED"
            assert stopped["status"]["state"] == "FINISHING"
            await until(lambda: central.of_kind("session_stopped"))
            assert central.of_kind("session_stopped")[0]["reason"] == "local"
            assert [m["source"] for m in central.of_kind("session_started")] == ["local"]

            # Without Central no card starts a session, but the card of a session ends it.
            central.card_answer = {"allowed": "ALLOWED", "action": "start", "session_id": "S2"}
            await swipe("card-1")
            await central.down()
            assert (await swipe("card-9"))["swipe"] == {"action": "none", "allowed": "OFFLINE"}
            assert (await swipe("CARD-1"))["status"]["state"] == "FINISHING"
            assert (await swipe("card-1"))["swipe"]["allowed"] == "OFFLINE"

    play(story)


def test_a_session_that_has_ended_does_not_begin_again(tmp_path: Path) -> None:
    async def story() -> None:
        central = FakeCentral()
        await central.up()
        async with engine_up(tmp_path, simulation=True) as call:
            await call.link(central_url=central.url)

            async def swipe() -> Any:
                answer = await call("POST", "/sim", json={"action": "swipe", "token_uid": "card-1"})
                return answer.json()

            # Given a session that has ended, which Central has not heard: it says start once more
            await call("POST", "/sim", json={"action": "plug"})
            central.card_answer = {"allowed": "ALLOWED", "action": "start", "session_id": "S1"}
            assert (await swipe())["swipe"]["result"] == "ACCEPTED"
            assert (await swipe())["swipe"]["action"] == "stop"
            again = await swipe()
            assert again["swipe"]["result"] == "REJECTED"
            assert again["status"]["state"] == "FINISHING"

            # With a session of its own the card charges
            central.card_answer = {"allowed": "ALLOWED", "action": "start", "session_id": "S2"}
            assert (await swipe())["swipe"]["result"] == "ACCEPTED"
            await until(lambda: len(central.of_kind("session_started")) == 2)
            assert [m["session_id"] for m in central.of_kind("session_stopped")] == ["S1"]
        await central.down()

    play(story)


def test_a_session_that_central_opened_and_the_evse_refuses_is_closed(tmp_path: Path) -> None:
    async def story() -> None:
        central = FakeCentral()
        await central.up()
        async with engine_up(tmp_path, simulation=True) as call:
            await call.link(central_url=central.url)
            await call("POST", "/sim", json={"action": "fault"})
            central.card_answer = {"allowed": "ALLOWED", "session_id": "S1"}
            swiped = await call("POST", "/sim", json={"action": "swipe", "token_uid": "card-1"})
            assert swiped.json()["swipe"]["result"] == "FAULT"
            closed = await until(lambda: central.of_kind("session_stopped"))
            assert (closed[0]["session_id"], closed[0]["reason"], closed[0]["energy_wh"]) == (
                "S1", "rejected", 0,
            )  # fmt: skip
        await central.down()

    play(story)
