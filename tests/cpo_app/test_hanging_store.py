"""A mongod that hangs: every door says 503 in time and in its own words, and /readyz tells."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.types import ASGIApp

from auth.credentials_header import encoded
from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo
from db_interface.indexes import ensure_indexes
from domain.peers.terms import ANY_PARTY
from tests.conftest import Loop
from tests.cpo_app.central.conftest import token
from tests.cpo_app.doors import ADMIN_KEY, Doors, basic
from tests.e2e.processes import until_stopped

pytestmark = pytest.mark.processes

# Below twice of what a request waits for the store (4 s), and a look whether it is there (1.5 s).
ANSWERED_WITHIN_S = 7.5
READY_TOLD_WITHIN_S = 3.9
AT_ONCE = 12
"""Of each kind: more than the driver has threads."""


@pytest.fixture
def doors(server: EmbeddedMongo, loop: Loop) -> Iterator[Doors]:
    async def connect() -> Database:
        db = Database.connect(server.url)
        await ensure_indexes(db)
        return db

    db = loop.run(connect(), timeout_s=60)
    yield Doors.on(db)
    db.close()


Answers = dict[str, list[tuple[float, httpx.Response]]]


async def _ask(app: ASGIApp, method: str, path: str, **how: object) -> tuple[float, httpx.Response]:
    """The answer, and how long it took."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        began = time.monotonic()
        answer = await http.request(method, path, **how)  # type: ignore[arg-type]
        return time.monotonic() - began, answer


async def _ask_all(doors: Doors, invitation: str) -> Answers:
    main, registry = doors.main, doors.registry
    beat = {"cp_id": "CP-001", "interval_s": 5}
    asked = {
        "OCPI": _ask(main, "GET", "/ocpi/versions", headers={"Authorization": encoded(invitation)}),
        "EV_Central": _ask(
            main,
            "POST",
            "/cp/heartbeat",
            headers={"Authorization": f"Bearer {token('CP-001')}"},
            json=beat,
        ),
        "operator": _ask(main, "GET", "/cp", headers=basic()),
        "console": _ask(main, "GET", "/console/peers", headers=basic()),
        "EV_Registry": _ask(registry, "GET", "/cp", headers={"X-Registry-API-Key": ADMIN_KEY}),
        "ready": _ask(main, "GET", "/readyz"),
        "registry ready": _ask(registry, "GET", "/readyz"),
    }
    return dict(zip(asked, [[one] for one in await asyncio.gather(*asked.values())], strict=True))


def test_a_store_that_hangs_is_503_in_time_at_every_door(
    server: EmbeddedMongo, doors: Doors, loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def invited() -> str:
        return (await doors.backend.peers.invite("eMSP", doors.backend.db.now(), ANY_PARTY))[1]

    async def many() -> Answers:
        rounds = await asyncio.gather(*(_ask_all(doors, invitation) for _ in range(AT_ONCE)))
        return {door: [one for each in rounds for one in each[door]] for door in rounds[0]}

    invitation = loop.run(invited())
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    until_stopped(server.pid)
    answers = loop.run(many(), timeout_s=100)

    took = {door: max(seconds for seconds, _ in rows) for door, rows in answers.items()}
    statuses = {door: {row.status_code for _, row in rows} for door, rows in answers.items()}
    assert statuses == {door: {503} for door in answers}
    for door in ("OCPI", "EV_Central", "operator", "console", "EV_Registry"):
        assert took[door] < ANSWERED_WITHIN_S, took
        assert all(int(row.headers["retry-after"]) >= 1 for _, row in answers[door])
    assert max(took["ready"], took["registry ready"]) < READY_TOLD_WITHIN_S, took
    assert answers["OCPI"][0][1].json()["status_code"] == 3000
    said = [record for record in caplog.records if record.name.startswith("cpo")]
    assert not [record for record in said if record.exc_info]
    assert "the store does not answer" in caplog.text
