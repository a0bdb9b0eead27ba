"""The API's lists find an index for every filter: through the profiler, what the server did."""

from __future__ import annotations

from typing import Any

import pytest

from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api
from tests.cpo_app.api.test_api import LISTS
from tests.cpo_app.console.worlds import Night

DAY = "from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"
FILTERED = (
    *("/v1/sessions?status=ACTIVE", "/v1/sessions?charge_point=CP-001", f"/v1/sessions?{DAY}"),
    *("/v1/sessions?peer={peer}", "/v1/cdrs?peer={peer}", "/v1/cdrs?credit=true"),
    *("/v1/cdrs?charge_point=CP-001", "/v1/cdrs?session=S1", "/v1/cdrs?party=NL/EVC"),
    *(f"/v1/cdrs?{DAY}", "/v1/commands?state=RESULT", "/v1/commands?charge_point=CP-001"),
    *("/v1/reservations?active=true", "/v1/reservations?charge_point=CP-001"),
    *("/v1/sessions?contract=C1", "/v1/sessions?look=held", "/v1/sessions?look=signature"),
    *("/v1/sessions?sort=oldest", "/v1/cdrs?contract=C1", "/v1/cdrs?sort=energy"),
    *("/v1/cdrs?sort=cost", "/v1/commands?session=S1", "/v1/tokens?contract=C1"),
    *("/v1/tokens?valid=false", "/v1/locations?q=amst", "/v1/locations?held=true&sort=id"),
    *("/v1/charge-points?status=UNKNOWN", "/v1/charge-points?q=amst", "/v1/stations?q=x"),
    *("/v1/exchanges?correlation=c", "/v1/exchanges?sort=oldest", "/v1/search?q=CP-001"),
    *("/v1/search?q=amst", "/v1/audit?sort=oldest", f"/v1/audit?{DAY}"),
    *("/v1/claims?peer={peer}", "/v1/tariffs-assigned", "/v1/tariffs?party=NL/EVC"),
    *("/v1/audit?by=ines", "/v1/audit?about=CP-001", "/v1/audit?action=peers.invite"),
)


@pytest.fixture
def night(api: Api) -> Night:
    return Night(api.backend.db, api.loop).fill()


def test_no_list_scans_a_collection(api: Api, night: Night) -> None:
    raw = night.db.client[night.db.name]

    async def profile(level: int) -> None:
        await raw.command("profile", level)

    async def plans() -> set[tuple[str, str]]:
        rows: list[dict[str, Any]] = (
            await raw["system.profile"].find({"planSummary": {"$exists": True}}).to_list(None)
        )
        await raw.drop_collection("system.profile")
        return {(row["ns"].split(".", 1)[1], row["planSummary"]) for row in rows}

    api.loop.run(profile(2))
    try:
        for path in (*LISTS, *FILTERED, "/v1/quirks", "/v1/backups", "/v1/me"):
            answer = api.get(path.format(peer=night.peer_id), Role.ADMIN)
            assert answer.status_code == 200, (path, answer.text)
    finally:
        api.loop.run(profile(0))
    seen = api.loop.run(plans())
    assert len(seen) > 20
    assert {row for row in seen if "COLLSCAN" in row[1]} == set()
