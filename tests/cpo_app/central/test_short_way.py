"""Heartbeats and telemetry go straight to their routes, everything else its usual way."""

from __future__ import annotations

import httpx
from starlette.types import Receive, Scope, Send

from cpo_app.central.router import build_router
from cpo_app.central.short_way import MOST_ASKED, ShortWay
from tests.cpo_app.central.conftest import World, state


def test_only_what_is_asked_all_day_goes_straight(world: World) -> None:
    passed: list[str] = []

    async def usual(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(f"{scope['method']} {scope['path']}")
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    shown, central = world.enrol("CP-001"), world.central()
    world.api(central).register(shown)
    short = ShortWay(usual, routes=build_router(central).routes)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=short),  # type: ignore[arg-type]
        base_url="http://127.0.0.1:8000",
    )
    world.clients.append(client)
    headers = {"Authorization": f"Bearer {shown}"}
    bodies = {
        "/cp/heartbeat": {"cp_id": "CP-001", "interval_s": 2},
        "/cp/telemetry": {"cp_id": "CP-001", "boot_id": "b", "messages": [state(1, "AVAILABLE")]},
    }
    assert set(bodies) == set(MOST_ASKED)
    for path, body in bodies.items():
        answer = world.loop.run(client.post(path, json=body, headers=headers))
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert world.loop.run(client.post(path, json=body)).status_code == 401
        world.loop.run(client.get(path))
    world.loop.run(client.post("/cp/register"))
    assert passed == ["GET /cp/heartbeat", "GET /cp/telemetry", "POST /cp/register"]
