"""What the operator sees and does: the list, history, uptime, in and out of service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.cpo_app.central.conftest import ADMIN_PASSWORD, World, basic, state
from tests.cpo_app.central.engine import FakeEngine


def test_the_list_shows_every_registered_charge_point(world: World) -> None:
    shown = world.enrol("CP-001")
    world.enrol("CP-002")
    api = world.api()
    api.register(shown)
    api.telemetry(shown, state(1, "CHARGING", plugged=True, session_id="S1"))
    api.beat(shown, "OVERHEATED")
    seen = world.clock.now().isoformat()
    assert api.get("/cp").json() == {
        "charge_points": [
            {
                "id": "CP-001",
                "location": "Berlin",
                "ocpi_status": "OUTOFORDER",
                "state": "FAULTY",
                "operative": True,
                "last_seen": seen,
                "session": "S1",
                "fault": "OVERHEATED: as seen",
                "clock_offset_s": None,
            },
            {
                "id": "CP-002",
                "location": "Berlin",
                "ocpi_status": "UNKNOWN",
                "state": "SILENT",
                "operative": True,
                "last_seen": None,
                "session": None,
                "fault": None,
                "clock_offset_s": None,
            },
        ],
        "next": None,
    }


def test_the_list_is_paged_by_id(world: World) -> None:
    ids = [f"CP-{number:03}" for number in range(7)]
    for cp_id in reversed(ids):
        world.enrol(cp_id)
    api, found, after = world.api(), [], ""
    while after is not None:
        page = api.get("/cp", params={"limit": 3, "after": after} if after else {"limit": 3})
        found += [row["id"] for row in page.json()["charge_points"]]
        after = page.json()["next"]
    assert found == ids
    assert api.get("/cp", params={"limit": 0}).json()["detail"].startswith("limit: ")


def test_no_secret_and_no_inner_host_is_shown(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    key = api.register(shown, host="engine.inner.example").json()["command_key"]
    pages = [api.get(path).text for path in ("/cp", "/cp/CP-001/history", "/cp/CP-001/uptime")]
    for secret in (key, shown, "engine.inner.example", "command_key"):
        assert not any(secret in page for page in pages)


def test_with_a_password_only_the_admin_sees(world: World) -> None:
    world.enrol("CP-001")
    api = world.api(world.central(CPO_ADMIN_PASSWORD="päss:wort"), client="10.0.0.1")
    for headers in ({}, basic("wrong"), basic("päss:wort", "root"), {"Authorization": "Basic %"}):
        for path in ("/cp", "/cp/CP-001/history", "/cp/CP-001/uptime"):
            answer = api.get(path, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert api.get("/cp", headers=basic("päss:wort")).status_code == 200


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "10.0.0.1"])
def test_nobody_is_let_in_for_where_he_is(world: World, client: str) -> None:
    """A text-book reverse proxy makes the whole internet this host."""
    for password in ("", ADMIN_PASSWORD):
        api = world.api(world.central(CPO_ADMIN_PASSWORD=password), client=client)
        for headers in ({}, basic(""), {"Host": "localhost:8000"}):
            answer = api.get("/cp", headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_a_charge_points_token_is_no_operators(world: World) -> None:
    shown = world.enrol("CP-001")
    api = world.api(world.central(CPO_ADMIN_PASSWORD="x"))
    assert api.get("/cp", headers={"Authorization": f"Bearer {shown}"}).status_code == 401


def test_history_and_uptime_over_http(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    begun = world.clock.now()
    api.register(shown)
    world.clock.advance(30)
    api.beat(shown, "F")
    world.clock.advance(10)
    period = {"since": begun.isoformat(), "until": (begun + timedelta(days=1)).isoformat()}
    history = api.get("/cp/cp-001/history", params=period).json()
    assert history["cp_id"] == "CP-001"
    assert [(change["from"], change["to"], change["why"]) for change in history["changes"]] == [
        (None, "AVAILABLE", "registered at Central"),
        ("AVAILABLE", "OUTOFORDER", "fault: F"),
    ]
    # Not beyond now: what has not been yet is not counted.
    assert api.get("/cp/CP-001/uptime", params=period).json() == {
        "cp_id": "CP-001",
        "since": begun.isoformat(),
        "until": world.clock.now().isoformat(),
        "available_s": 30.0,
        "by_status": {"AVAILABLE": 30.0, "OUTOFORDER": 10.0},
        "uptime_percent": 75.0,
    }
    assert api.get("/cp/CP-001/uptime").json()["available_s"] == 30.0


def test_questions_that_make_no_sense_are_400_or_404(world: World) -> None:
    world.enrol("CP-001")
    api = world.api()
    for path in ("/cp/CP-404/history", "/cp/CP-404/uptime"):
        assert (api.get(path).status_code, api.get(path).json()["error"]) == (404, "not_found")
    for params in (
        {"since": "2999-01-01T00:00:00Z"},
        {"since": "yesterday"},
        {"until": "0001-01-01T00:00:00+23:59"},
        {"until": "0001-01-01T00:00:00Z"},
    ):
        answer = api.get("/cp/CP-001/uptime", params=params)
        assert answer.status_code == 400, params


class EngineAndCharger:
    """CP-001 with a fake engine, registered."""

    def __init__(self, world: World, engine: FakeEngine) -> None:
        self.world, self.engine = world, engine
        self.token, self.api = world.enrol("CP-001"), world.api()
        answer = self.api.register(self.token, host=engine.host, port=engine.port)
        engine.key = answer.json()["command_key"]

    def set_operative(self, operative: Any) -> httpx.Response:
        return self.api.request("PUT", "/cp/CP-001/operative", json={"operative": operative})

    def until(self, done: Callable[[], bool]) -> None:
        async def wait() -> None:
            while not done():
                await asyncio.sleep(0.005)

        self.world.loop.run(wait(), 5)

    def until_told(self, operative: bool) -> None:
        async def wait() -> None:
            while True:
                found = await self.world.db["charge_points"].find_one({"_id": "CP-001"})
                if found["operative_told"] == operative:
                    return
                await asyncio.sleep(0.01)

        self.world.loop.run(wait(), 5)


def test_out_of_service_and_back_reaches_peers_and_the_engine(world: World) -> None:
    with FakeEngine().running(world.loop) as engine:
        cp = EngineAndCharger(world, engine)
        answer = cp.set_operative(False)
        assert answer.json() == {
            "cp_id": "CP-001",
            "operative": False,
            "ocpi_status": "INOPERATIVE",
        }
        assert world.status() == "INOPERATIVE"
        cp.until_told(False)
        cp.set_operative(True)
        assert world.status() == "AVAILABLE"
        cp.until_told(True)
        assert [command["operative"] for command in engine.asked] == [False, True]
        cp.api.beat(cp.token)
        assert len(engine.asked) == 2


def test_a_word_that_changes_while_the_engine_is_told_is_told_after_it(world: World) -> None:
    with FakeEngine().running(world.loop) as engine:
        cp = EngineAndCharger(world, engine)
        engine.hold = asyncio.Event()
        cp.set_operative(False)
        cp.set_operative(True)
        world.loop.loop.call_soon_threadsafe(engine.hold.set)
        cp.until(lambda: len(engine.asked) == 2)
        cp.until_told(True)
        assert [command["operative"] for command in engine.asked] == [False, True]


def test_an_engine_that_was_away_is_told_at_a_later_heartbeat(world: World) -> None:
    with FakeEngine().running(world.loop) as engine:
        cp = EngineAndCharger(world, engine)
        right, engine.key = engine.key, "another"
        assert cp.set_operative(False).status_code == 200
        cp.until(lambda: not cp.api.central._telling)
        assert engine.asked == []
        engine.key = right
        cp.api.beat(cp.token)
        cp.until_told(False)
        assert engine.kinds() == ["set_operative"]


def test_only_a_known_charge_point_and_a_real_answer(world: World) -> None:
    world.enrol("CP-001")
    api = world.api()
    put = {"operative": False}
    assert api.request("PUT", "/cp/CP-404/operative", json=put).status_code == 404
    assert api.request("PUT", "/cp/CP-001/operative", json={}).status_code == 400
    locked = world.api(world.central(CPO_ADMIN_PASSWORD="x"))
    assert locked.request("PUT", "/cp/CP-001/operative", json=put, headers={}).status_code == 401
    assert world.status() == "UNKNOWN"


def test_a_form_of_another_site_changes_nothing(world: World) -> None:
    world.enrol("CP-001")
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = world.api().request(
            "PUT",
            "/cp/CP-001/operative",
            content=b'{"operative": false}',
            headers={"Content-Type": kind, **basic(ADMIN_PASSWORD)},
        )
        assert answer.status_code == 400
    assert world.status() == "UNKNOWN"


@pytest.mark.parametrize("path", ["/cp", "/cp/CP-001/history"])
def test_the_operators_queries_scan_no_collection(world: World, path: str) -> None:
    """Through the profiler: what the server really did."""
    world.enrol("CP-001")
    api = world.api()

    async def profile(level: int) -> None:
        await world.db["system.profile"].database.command("profile", level)

    world.loop.run(profile(2))
    assert api.get(path).status_code == 200
    world.loop.run(profile(0))

    async def plans() -> set[str]:
        rows = await world.db["system.profile"].find({"op": "query"}).to_list(None)
        return {row["planSummary"].split(" ")[0] for row in rows}

    # EOF: of a collection that nobody has written yet
    allowed = {"IXSCAN", "IDHACK", "EXPRESS_IXSCAN", "EXPRESS_IDHACK", "EOF"}
    assert world.loop.run(plans()) <= allowed
    assert world.loop.run(plans())
