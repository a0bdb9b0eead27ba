"""One charge point against the real EV_Registry and EV_Central: both sides keep the contract."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from auth.charge_point_access import Admission
from cpo_app.add_routes import add_routes
from cpo_app.central.router import build_router
from cpo_app.central.service import Central
from cpo_app.central.telemetry import Handler
from cpo_app.charge_point.monitor import Monitor
from cpo_app.charge_point.serving import listen, serve
from cpo_app.charge_point.settings import MonitorSettings
from cpo_app.registry.app import build_registry
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import charge_points
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.charge_point.worlds import QUICK, new_engine, running, until

SECRET = "registry-secret-" * 3


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_register_start_limit_stop_fault_and_recovery(
    db: Database, loop: Loop, tmp_path: Path, tls: bool
) -> None:
    loop.run(_story(db, tmp_path, tls), 90)


async def _story(db: Database, state_dir: Path, tls: bool) -> None:
    given: dict[str, Any] = {"_env_file": None, "REGISTRY_SECRET_KEY": SECRET}
    settings = Settings(**given)
    store = DbInterface(db)

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

    stopped: list[dict[str, Any]] = []

    async def note(tx: Any, charge_point: Any, message: dict[str, Any]) -> None:
        stopped.append(message)

    handlers = [Handler("session_stopped", note)]
    central = Central(store, settings, Vault("v" * 40), admit=let_in, handlers=handlers)
    app = FastAPI()
    add_routes(app, build_router(central))

    async with contextlib.AsyncExitStack() as stack:
        urls = []
        for server in (build_registry(settings, store), app):
            listener = listen("127.0.0.1", 0)
            urls.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
            await stack.enter_async_context(running(serve(server, listener)))
        stack.push_async_callback(central.stop)
        engine = new_engine(state_dir, tls=tls)
        await stack.enter_async_context(running(engine.run()))
        monitor = Monitor(
            MonitorSettings(
                cp_id="CP-001",
                location="Berlin",
                registry_url=urls[0],
                central_host=urls[1],
                cp_e_host="127.0.0.1",
                cp_e_port=engine.port,
                health_interval=0.1,
                keyring=False,
                state_dir=state_dir,
            ),
            backoff=QUICK,
        )
        await stack.enter_async_context(running(monitor.run()))

        async def shows(what: Callable[[Any], bool]) -> dict[str, Any]:
            async def look() -> dict[str, Any]:
                while True:
                    found = await charge_points.get(db, "CP-001")
                    if found and what(found):
                        return dict(found)
                    await asyncio.sleep(0.02)

            return await asyncio.wait_for(look(), 20)

        await shows(lambda cp: cp["ocpi_status"] == "AVAILABLE" and bool(cp["connectors"]))
        await until(lambda: engine.link.linked)

        started = await central.link.start("CP-001", "C1", session_id="S1", id_tag="card-1")
        assert started.accepted
        await shows(lambda cp: cp["ocpi_status"] == "CHARGING")
        full = await shows(lambda cp: (cp["connectors"][0].get("meter") or {}).get("energy_wh", 0))
        assert full["connectors"][0]["meter"]["power_w"] == 22_000

        periods = [{"start_period": 0, "limit": 11_000}]
        half = {"charging_rate_unit": "W", "charging_profile_period": periods}
        limited = await central.link.set_limit("CP-001", "C2", session_id="S1", limit=half)
        assert limited.accepted
        await shows(lambda cp: cp["connectors"][0]["meter"]["power_w"] == 11_000)
        active = await central.link.active_profile("CP-001", session_id="S1", duration_s=60)
        assert active is not None
        assert active["charging_profile"]["charging_profile_period"] == periods

        assert (await central.link.stop("CP-001", "C3", session_id="S1")).accepted
        await shows(lambda cp: cp["ocpi_status"] == "AVAILABLE")
        await until(lambda: stopped)
        assert stopped[0]["session_id"] == "S1"
        assert stopped[0]["energy_wh"] > 0

        engine.evse.fault("GROUND_FAILURE", "leak")
        broken = await shows(lambda cp: cp["ocpi_status"] == "OUTOFORDER" and bool(cp["faults"]))
        assert broken["faults"][0]["code"] == "GROUND_FAILURE"
        engine.evse.clear_fault()
        await shows(lambda cp: cp["ocpi_status"] == "AVAILABLE")
