"""A driver's preference at a simulated station: it pauses while energy is dear, and goes on."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from cpo_app.actions import commands as actions
from cpo_app.backend import Backend
from cpo_app.charge_point.ocpp import fleet
from cpo_app.charge_point.ocpp.keeping import Access
from cpo_app.cli.ocpp_simulator import Wanted, added, box_of
from crud.sessions import Sessions
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.ocpp.transactions import TRANSACTIONS
from domain.secrets import Vault
from domain.sessions.session_records import SESSIONS
from domain.times import format_datetime
from domain.visibility import Reader
from tests.cpo_app.ocpp.conftest import KEY, World
from tests.cpo_app.ocpp.test_commands import asked, session, working
from tests.domain.sessions.worlds import element, tariff

STATION = "CP-A"
CAPABLE = ["CHARGING_PREFERENCES_CAPABLE", "CHARGING_PROFILE_CAPABLE"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_it_pauses_while_energy_is_dear(world: World, version: fleet.Version) -> None:
    async def online() -> bool:
        known = await CHARGE_POINTS.of(world.db).find_one({"_id": STATION})
        return known is not None and known.get("ocpi_status") == "AVAILABLE"

    async def paused() -> bool:
        """What the station says of itself."""
        [one] = await TRANSACTIONS.of(world.db).find({})
        return one.get("charging_state") == "SuspendedEVSE"

    async def goes_on() -> bool:
        return not await paused()

    async def story() -> None:
        await world.gateway()
        [password] = await added(Backend(world.settings, world.db, Vault(KEY)), [STATION])
        box = box_of(Wanted(version, 1), 0, STATION, Access(f"{world.url()}/ocpp", password))
        running = asyncio.create_task(fleet.run([box]))
        try:
            async with working(world):
                await world.until(online)
                await asked(world, actions.START, cp_id=STATION)
                active = await session(world, "ACTIVE")
                now = world.db.now()
                dear = now - timedelta(hours=1), now + timedelta(hours=2)
                start, end = (f"{at:%H:%M}" for at in dear)
                tariffs = [
                    tariff(
                        "CHEAP",
                        element("ENERGY", 0.9, start_time=start, end_time=end),
                        element("ENERGY", 0.1),
                        type="PROFILE_CHEAP",
                    )
                ]
                changes = {
                    "tariffs": tariffs,
                    "capabilities": CAPABLE,
                    "time_zone": "Etc/UTC",
                    "max_power_w": 22_000,
                    "power_w": 11_000.0,
                    "token.type": "RFID",
                }
                await SESSIONS.of(world.db).update_one({"_id": active["_id"]}, {"$set": changes})
                wish = {
                    "profile_type": "CHEAP",
                    "departure_time": format_datetime(now + timedelta(hours=6)),
                    "energy_need": 20,
                }
                sessions, reader = Sessions(world.store), Reader((active["audience"],))
                assert await sessions.update(wish, active["_id"], reader=reader) == "ACCEPTED"
                await world.until(paused)
                wish = {"profile_type": "REGULAR"}
                assert await sessions.update(wish, active["_id"], reader=reader) == "ACCEPTED"
                await world.until(goes_on)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    world.run(story())
