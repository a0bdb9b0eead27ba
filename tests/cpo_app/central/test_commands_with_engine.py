"""An eMSP's commands, from the intake to a real engine and monitor and back, in real time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from py_ocpi.core.enums import Action

from auth.charge_point_access import Admission
from cpo_app.add_routes import add_routes
from cpo_app.central.commands import command_parts
from cpo_app.central.router import build_router
from cpo_app.central.service import Central
from cpo_app.charge_point.monitor import Monitor
from cpo_app.charge_point.serving import listen, serve
from cpo_app.charge_point.settings import MonitorSettings
from cpo_app.registry.app import build_registry
from cpo_app.settings import Settings
from crud.charging_profiles import ChargingProfiles
from crud.commands import Commands
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import charge_points
from domain.commands.command_delivery import Delivery
from domain.commands.command_intake import Intake
from domain.secrets import Vault
from domain.visibility import Reader
from tests.conftest import Loop
from tests.cpo_app.charge_point.worlds import QUICK, new_engine, running

SECRET = "registry-secret-" * 3
HALF = {
    "charging_rate_unit": "W",
    "charging_profile_period": [{"start_period": 0, "limit": 11_000}],
}
TOKEN = {
    "country_code": "DE",
    "party_id": "TNM",
    "uid": "CARD-1",
    "type": "RFID",
    "contract_id": "C1",
    "issuer": "Issuer",
    "valid": True,
    "whitelist": "NEVER",
    "last_updated": "2025-05-01T12:00:00Z",
}


class Emsp:
    """Asks as the routers would, and waits for the results."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.got: list[Delivery] = []
        self.answers = 0

    async def deliver(self, delivery: Delivery) -> None:
        self.got.append(delivery)

    async def command(self, name: str, **data: Any) -> dict[str, Any]:
        return await self._result(
            lambda url: Commands(self.intake).do(
                None,
                data={"response_url": url, **data},
                command=name,
                response_url=url,
                reader=Reader(("de*tnm",)),
                peer_id="peer-1",
            )
        )

    async def profile(self, action: Action, session_id: str, **data: Any) -> dict[str, Any]:
        return await self._result(
            lambda url: ChargingProfiles(self.intake).do(
                action,
                session_id=session_id,
                response_url=url,
                reader=Reader(("de*tnm",)),
                peer_id="peer-1",
                **data,
            )
        )

    async def _result(self, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        self.answers += 1
        url = f"https://emsp.example/{self.answers}"
        answer = await ask(url)
        assert answer["result"] == "ACCEPTED", answer

        async def told() -> dict[str, Any]:
            while True:
                for one in self.got:
                    if one.url == url:
                        return dict(one.body)
                await asyncio.sleep(0.01)

        try:
            return await asyncio.wait_for(told(), 25)
        except asyncio.TimeoutError:
            raise AssertionError(f"no result at {url}; there are {self.got}") from None


def test_reserve_start_limit_stop_and_a_charge_point_that_vanishes(
    db: Database, loop: Loop, tmp_path: Path
) -> None:
    loop.run(_story(db, tmp_path), 90)


async def _story(db: Database, state_dir: Path) -> None:
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

    async def any_url(peer_id: str, url: str) -> None:
        return None

    central = Central(store, settings, Vault("v" * 40), admit=let_in)
    party = {"country_code": "DE", "party_id": "CPO"}
    # A busy machine may take its time, but for the one command that is to time out.
    intake = Intake(store, party=party, timeout_s=20, check_url=any_url)
    impatient = Intake(store, party=party, timeout_s=2, check_url=any_url)
    emsp = Emsp(intake)
    parts = command_parts.build(central, emsp.deliver, [intake, impatient])
    app = FastAPI()
    add_routes(app, build_router(central))

    async with contextlib.AsyncExitStack() as stack:
        urls = []
        for server in (build_registry(settings, store), app):
            listener = listen("127.0.0.1", 0)
            urls.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
            await stack.enter_async_context(running(serve(server, listener)))
        stack.push_async_callback(central.stop)
        parts.start()
        stack.push_async_callback(parts.stop)
        # The engine's own stack: it is to vanish before the rest.
        engine_alone = await stack.enter_async_context(contextlib.AsyncExitStack())
        engine = new_engine(state_dir)
        await engine_alone.enter_async_context(running(engine.run()))
        monitor = Monitor(
            MonitorSettings(
                cp_id="CP-001",
                location="Berlin",
                registry_url=urls[0],
                central_host=urls[1],
                cp_e_host="127.0.0.1",
                cp_e_port=engine.port,
                health_interval=0.2,
                keyring=False,
                state_dir=state_dir,
            ),
            backoff=QUICK,
        )
        await engine_alone.enter_async_context(running(monitor.run()))

        async def charge_point(what: Callable[[Any], Any]) -> dict[str, Any]:
            return await _found(lambda: charge_points.get(db, "CP-001"), what)

        async def session(status: str) -> dict[str, Any]:
            return await _found(
                lambda: db["charging_sessions"].find_one({}, sort=[("created", -1)]),
                lambda row: row["status"] == status,
            )

        await charge_point(lambda cp: cp["ocpi_status"] == "AVAILABLE" and cp["connectors"])
        await _found(lambda: _value(engine.link.linked), bool)

        expiry = datetime.now(timezone.utc) + timedelta(minutes=5)
        place = {"location_id": "CP-001", "evse_uid": "CP-001"}
        reserved = await emsp.command(
            "RESERVE_NOW",
            token=TOKEN,
            reservation_id="R1",
            expiry_date=expiry.isoformat().replace("+00:00", "Z"),
            **place,
        )
        assert reserved == {"result": "ACCEPTED"}
        await charge_point(lambda cp: cp["ocpi_status"] == "RESERVED")

        assert await emsp.command("START_SESSION", token=TOKEN, **place) == {"result": "ACCEPTED"}
        running_one = await session("ACTIVE")
        session_id = running_one["_id"]
        await charge_point(lambda cp: cp["connectors"][0].get("meter", {}).get("power_w") == 22_000)

        again = {**TOKEN, "uid": "CARD-2"}
        busy = await emsp.command("START_SESSION", token=again, **place)
        assert busy["result"] == "EVSE_OCCUPIED"

        set_it = Action.send_update_charging_profile
        done = await emsp.profile(set_it, session_id, charging_profile=HALF)
        assert done == {"result": "ACCEPTED"}
        await charge_point(lambda cp: cp["connectors"][0]["meter"]["power_w"] == 11_000)
        shown = await emsp.profile(Action.send_get_chargingprofile, session_id, duration=60)
        periods = shown["profile"]["charging_profile"]["charging_profile_period"]
        assert periods == [{"start_period": 0, "limit": 11_000}]

        assert await emsp.command("STOP_SESSION", session_id=session_id) == {"result": "ACCEPTED"}
        ended = await session("COMPLETED")
        assert ended["_id"] == session_id and ended["energy_wh"] > 0
        await charge_point(lambda cp: cp["ocpi_status"] == "AVAILABLE")

        await engine_alone.aclose()
        emsp.intake = impatient
        timed_out = await emsp.command("START_SESSION", token=TOKEN, **place)
        assert timed_out == {"result": "TIMEOUT"}
        await session("INVALID")


async def _value(value: Any) -> Any:
    return value


async def _found(read: Callable[[], Awaitable[Any]], what: Callable[[Any], Any]) -> dict[str, Any]:
    """What is read, once it is so; what was read last is in the error."""
    last: Any = None

    async def look() -> dict[str, Any]:
        nonlocal last
        while True:
            last = await read()
            if last and what(last):
                return last
            await asyncio.sleep(0.02)

    try:
        return await asyncio.wait_for(look(), 20)
    except asyncio.TimeoutError:
        raise AssertionError(f"never so: {last}") from None
