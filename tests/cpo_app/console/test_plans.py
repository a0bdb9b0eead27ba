"""The pages of one thing find an index for all that they ask: what the server did, profiled."""

from __future__ import annotations

from typing import Any

from domain.operators.actor import Role
from tests.cpo_app.console.ocpp_box import let_it_talk
from tests.cpo_app.console.test_one_session import cdr_of, exchange
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import Night


def test_no_page_of_one_thing_scans_a_collection(own_night: Night) -> None:
    night = own_night
    let_it_talk(night)
    cdr = cdr_of(night, night.ended)["id"]
    exchange(night, "cdrs", cdr)
    visit = visit_of(night, Role.OPERATOR)
    box = "/console/charge-points/CP-001"
    raw = night.db.client[night.db.name]

    async def profile(level: int) -> None:
        await raw.command("profile", level)

    async def plans() -> list[dict[str, Any]]:
        wanted = {"planSummary": {"$exists": True}}
        found: list[dict[str, Any]] = await raw["system.profile"].find(wanted).to_list(None)
        return found

    visit.get("/console/peers")
    night.loop.run(profile(2))
    for path in (
        *(f"/console/sessions/{night.running}", f"/console/sessions/{night.ended}"),
        *(f"/console/cdrs/{cdr}", box, f"{box}?span=30d", f"{box}/offered"),
        *(f"{box}/messages?text=4711", f"{box}/messages?action=Reset&since=2025-01-01"),
    ):
        assert visit.get(path).status_code == 200, path
    night.loop.run(profile(0))
    done = night.loop.run(plans())
    scanned = {
        (row["ns"].partition(".")[2], str(row.get("command", {}).get("filter")))
        for row in done
        if "COLLSCAN" in row["planSummary"]
    }
    assert len(done) > 40
    assert scanned == set()
    sorted_in_memory = {row["ns"].partition(".")[2] for row in done if row.get("hasSortStage")}
    assert sorted_in_memory <= {"peers", "locations"}  # a handful: those that hold one EVSE
