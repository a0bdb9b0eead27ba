"""Every query that commands and reservations cause finds an index: the profiler says so."""

from __future__ import annotations

from typing import Any

from py_ocpi.core.enums import Action

from db_interface.database import Database
from domain.charge_points.charge_point_events import OperativeSet
from tests.conftest import Loop
from tests.cpo_app.central.command_world import CommandWorld

PROFILE = {"charging_rate_unit": "W"}


def test_no_collection_is_scanned(db: Database, loop: Loop) -> None:
    world = CommandWorld(db, loop)
    emsp = world.asker()
    world.run(db.client[db.name].command("profile", 2))
    emsp.start(evse_uid="CP-001")
    emsp.start("CARD-2")
    world.settle()
    session_id = world.link.engine("CP-001").session_id
    assert session_id is not None
    world.began(session_id)
    emsp.profile(Action.send_update_charging_profile, session_id, charging_profile=PROFILE)
    emsp.profile(Action.send_get_chargingprofile, session_id, duration=60)
    emsp.ask("UNLOCK_CONNECTOR", location_id="SITE-1", evse_uid="CP-001", connector_id="1")
    emsp.ask("STOP_SESSION", session_id=session_id)
    world.settle()
    world.stopped(session_id)
    for number in range(2):
        emsp.reserve(f"R{number}", evse_uid=f"CP-00{number + 1}", minutes=5 + number)
        world.settle()
    emsp.ask("CANCEL_RESERVATION", reservation_id="R9")
    world.link.deaf["CP-001"] = "lost"
    emsp.ask("CANCEL_RESERVATION", reservation_id="R0")
    world.settle()
    world.clock.advance(30)
    world.settle()
    world.happen("CP-002", OperativeSet(False))
    world.run(world.parts.reservations.round())
    world.clock.advance(300)
    world.run(world.parts.reservations.round())
    world.run(world.parts.worker.stop())
    world.run(db.client[db.name].command("profile", 0))

    async def scans() -> list[tuple[Any, Any]]:
        rows = await db["system.profile"].find({"planSummary": "COLLSCAN"}).to_list(None)
        return [(row["ns"], row.get("command")) for row in rows]

    found = [(ns, command) for ns, command in world.run(scans()) if "system." not in ns]
    assert found == []
    seen = world.run(db["system.profile"].distinct("ns"))
    assert {f"{db.name}.commands", f"{db.name}.reservations"} <= set(seen)
