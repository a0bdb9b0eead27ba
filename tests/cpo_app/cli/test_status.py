"""`cpo status`: the running system on one screen, by the store and by asking the servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from db_interface.database import Database
from domain.platform_facts import announce_address
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.cpo_app.console.worlds import Night
from tests.serving import free_port, served

MISSING: list[str] = []


@pytest.fixture
def port(loop: Loop) -> Iterator[int]:
    """EV_Central and EV_Registry, as far as /readyz."""

    async def readyz(_request: Any) -> JSONResponse:
        return JSONResponse({"missing": MISSING}, 503 if MISSING else 200)

    with served(Starlette(routes=[Route("/readyz", readyz)]), loop) as url:
        yield int(url.rsplit(":", 1)[1])
    MISSING.clear()


def announce(db: Database, loop: Loop, central: int, registry: int) -> None:
    facts = {
        "OCPI_HOST": f"127.0.0.1:{central}",
        "PROTOCOL": "http",
        "CENTRAL_PORT": central,
        "REGISTRY_API_PORT": registry,
    }
    loop.run(announce_address(db, facts))


def test_a_system_that_is_well_is_one_screen(cpo: Cpo, db: Database, loop: Loop, port: int) -> None:
    announce(db, loop, port, port)
    ran = cpo("status")
    assert (ran.code, ran.err) == (0, "all is well\n")
    lines = dict(line.split(maxsplit=1) for line in ran.out.splitlines())
    assert lines["EV_Central"] == f"ready   http://127.0.0.1:{port}"
    assert lines["EV_Registry"] == f"ready   http://127.0.0.1:{port}"
    assert lines["OCPI"] == f"http://127.0.0.1:{port}/ocpi/versions"
    assert lines["Sessions"] == "0 running"


def test_trouble_is_said_with_where_to_look(cpo: Cpo, db: Database, loop: Loop, port: int) -> None:
    night = Night(db, loop).fill()
    MISSING.append("watch")
    announce(db, loop, port, free_port())
    ran = cpo("status")
    assert ran.code == 1
    assert "EV_Central     not ready: watch" in ran.out
    assert "EV_Registry    does not answer" in ran.out
    (points,) = [line for line in ran.out.splitlines() if line.startswith("Charge points")]
    number, _, kinds = points.removeprefix("Charge points").partition(": ")
    assert int(number) == 5
    assert {"1 CHARGING", "1 INOPERATIVE", "1 OUTOFORDER", "2 UNKNOWN"} <= {*kinds.split(", ")}
    for said in (
        "! charge points: 1 OUTOFORDER, 2 UNKNOWN, 1 INOPERATIVE (CP-BAD ",
        "! charge points: 1 not offered over OCPI",
        f"({night.peer_id}): push",
        "(cpo sessions trouble)",
    ):
        assert said in ran.out, ran.out
    found = cpo("status", "--json").json()
    assert [server["ready"] for server in found["servers"]] == [False, False]
    assert found["sessions_running"] == 1
    assert not any(secret in ran.out for secret in night.secrets)


def test_where_nothing_was_started_nothing_is_made(
    cpo: Cpo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CPO_MONGO_URL")
    ran = cpo("status", "--data-dir", str(tmp_path / "none"))
    assert ran.code == 1 and ran.err.endswith("nothing was started here yet (cpo up)\n")
    assert not (tmp_path / "none").exists()
