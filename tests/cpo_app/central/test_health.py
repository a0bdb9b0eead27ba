"""/healthz and /readyz, and what Central answers while the store is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.charge_point_access import Admission
from cpo_app.central import health
from cpo_app.central.health import build_health_router, central_checks
from cpo_app.central.router import build_router
from cpo_app.central.service import Central
from db_interface.database import Database
from db_interface.indexes import ensure_indexes
from db_interface.interface import DbInterface
from tests.conftest import Loop
from tests.cpo_app.central.conftest import ADMIN_PASSWORD, SECRET, VAULT, World, basic, meter, token
from tests.serving import free_port
from tests.settings_of import settings_of


def test_ready_once_everything_is_there(world: World) -> None:
    api = world.api()
    assert api.get("/healthz").json() == {"status": "ok"}
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "missing": ["watch"]})
    world.loop.run(api.central.start())
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": []})


@pytest.fixture
def index_dropper(world: World) -> Iterator[Callable[[str], None]]:
    """Drops the indexes of a collection; the next test finds them all again."""

    async def drop(collection: str) -> None:
        await world.db[collection].drop_indexes()

    yield lambda collection: world.loop.run(drop(collection))
    world.loop.run(ensure_indexes(world.db), timeout_s=60)


def test_a_missing_secret_and_missing_indexes_are_named(
    world: World, index_dropper: Callable[[str], None]
) -> None:
    api = world.api(world.central(REGISTRY_SECRET_KEY="short"))
    world.loop.run(api.central.start())
    index_dropper("charge_points")
    assert api.get("/readyz").json()["missing"] == ["indexes", "REGISTRY_SECRET_KEY"]


def test_a_check_that_hangs_counts_as_missing(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_WITHIN_S", 0.05)

    async def never() -> bool:
        await asyncio.Event().wait()
        return True

    assert ask(loop, build_health_router({"engine": never}), "GET", "/readyz") == (
        503,
        {"ready": False, "missing": ["engine"]},
    )


def ask(loop: Loop, router: Any, method: str, path: str, **options: Any) -> tuple[int, Any]:
    app = FastAPI()
    app.include_router(router)

    async def request() -> tuple[int, Any]:
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            answer = await http.request(method, path, **options)
            return answer.status_code, answer.json()

    return loop.run(request())


def test_without_a_store_everything_under_cp_is_503_in_the_same_shape(loop: Loop) -> None:
    async def connect() -> Database:
        return Database.connect(f"mongodb://127.0.0.1:{free_port()}/x", timeout_ms=100)

    db = loop.run(connect())

    async def let_in(
        token: str | None,
        cp_id: str,
        *,
        required: bool,
        certificate: str | None = None,
        at_leisure: bool = False,
    ) -> None:
        await Admission(db, SECRET, gather_s=0).admit(
            token, cp_id, required=required, certificate=certificate
        )

    settings = settings_of(REGISTRY_SECRET_KEY=SECRET, CPO_ADMIN_PASSWORD=ADMIN_PASSWORD)
    central = Central(DbInterface(db), settings, VAULT, admit=let_in)
    router = build_router(central)
    charge_points = {"Authorization": f"Bearer {token('CP-001')}"}
    for method, path, body in (
        ("POST", "/cp/register", {"cp_id": "CP-001", "cp_e_host": "localhost", "cp_e_port": 1}),
        ("POST", "/cp/heartbeat", {"cp_id": "CP-001", "interval_s": 1}),
        ("POST", "/cp/telemetry", {"cp_id": "CP-001", "boot_id": "b", "messages": [meter(1)]}),
        ("POST", "/cp/authorize", {"cp_id": "CP-001", "connector_id": "1", "token_uid": "T"}),
        ("GET", "/cp", None),
        ("GET", "/cp/CP-001/history", None),
        ("GET", "/cp/CP-001/uptime", None),
        ("PUT", "/cp/CP-001/operative", {"operative": False}),
    ):
        headers = charge_points if method == "POST" else basic(ADMIN_PASSWORD)
        status, answer = ask(loop, router, method, path, json=body, headers=headers)
        assert (status, answer["error"], set(answer)) == (
            503,
            "unavailable",
            {"error", "detail", "timestamp"},
        )
    checks = build_health_router(central_checks(central))
    assert ask(loop, checks, "GET", "/healthz") == (200, {"status": "ok"})
    status, answer = ask(loop, checks, "GET", "/readyz")
    assert (status, answer["missing"]) == (503, ["store", "indexes", "watch"])
    with contextlib.suppress(Exception):
        db.close()


def test_the_watch_survives_an_outage_of_the_store(loop: Loop) -> None:
    async def play() -> bool:
        db = Database.connect(f"mongodb://127.0.0.1:{free_port()}/x", timeout_ms=50)

        async def let_in(
            token: str | None,
            cp_id: str,
            *,
            required: bool,
            certificate: str | None = None,
            at_leisure: bool = False,
        ) -> None: ...

        central = Central(DbInterface(db), settings_of(), VAULT, admit=let_in, watch_pause_s=0.01)
        asked = asyncio.Event()
        tries = 0
        wrapped = central.watch.round

        async def counted() -> int:
            nonlocal tries
            tries += 1
            if tries == 2:
                asked.set()
            return await wrapped()

        central.watch.rounds._once = counted
        await central.start()
        await asyncio.wait_for(asked.wait(), 10)
        alive = central.watching
        await central.stop()
        db.close()
        return alive

    assert loop.run(play())


def test_a_registration_secret_that_is_unusable_is_503_not_a_traceback(world: World) -> None:
    world.enrol("CP-001")
    central = world.central()

    async def without_secret(
        token: str | None,
        cp_id: str,
        *,
        required: bool,
        certificate: str | None = None,
        at_leisure: bool = False,
    ) -> None:
        await Admission(world.db, "", gather_s=0).admit(
            token, cp_id, required=required, certificate=certificate
        )

    central.admit = without_secret
    answer = world.api(central).register(token("CP-001"))
    assert (answer.status_code, answer.json()["detail"]) == (
        503,
        "EV_Central is not set up: see /readyz",
    )


def test_cards_are_answered_by_whoever_keeps_the_sessions(world: World) -> None:
    shown, without = world.enrol("CP-001"), world.api()
    body = {"cp_id": "CP-001", "connector_id": "1", "token_uid": "T", "token_type": "RFID"}
    assert without.post("/cp/authorize", None, body).status_code == 401
    assert without.post("/cp/authorize", shown, body).status_code == 501

    async def authorize(asked: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": "ALLOWED", "asked": asked}

    api = world.api(world.central(authorize=authorize))
    assert api.post("/cp/authorize", shown, body).json() == {"allowed": "ALLOWED", "asked": body}


def test_the_routes_have_their_docs(world: World) -> None:
    app = FastAPI()
    app.include_router(build_router(world.central()))
    assert "/cp/telemetry" in app.openapi()["paths"]
