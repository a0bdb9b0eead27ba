"""Commands over the API: asked there, and their end read there."""

from __future__ import annotations

import pytest

from domain.commands import command_queue
from domain.commands.command_states import Event
from domain.operators.actor import Role
from tests.cpo_app.api.conftest import Api
from tests.cpo_app.console.worlds import Night


@pytest.fixture
def night(api: Api) -> Night:
    return Night(api.backend.db, api.loop).fill()


def test_a_start_is_asked_for_and_its_end_is_read(api: Api, night: Night) -> None:
    refused = api.post("/v1/charge-points/CP-001/start", {}, Role.VIEWER)
    assert refused.status_code == 403
    asked = api.post("/v1/charge-points/cp-001/start", {}, Role.OPERATOR)
    assert asked.status_code == 200, asked.text
    unknown = api.post("/v1/charge-points/CP-001/start", {"card": "NOBODYS"}, Role.OPERATOR)
    assert unknown.status_code == 409
    assert unknown.json()["detail"].startswith("the card may not charge here, NOT_ALLOWED")
    assert api.post("/v1/charge-points/CP-404/stop", {}).status_code == 404
    command_id = asked.json()["command_id"]
    shown = api.get(f"/v1/commands/{command_id}").json()
    assert (shown["said"], shown["by"]["name"]) == ("under way", "operator-key")

    async def end() -> None:
        found = await command_queue.get(night.db, command_id)
        assert found is not None
        changes = {"result": {"result": "REJECTED"}}
        await command_queue.advance(night.db, found, Event.ANSWERED, changes, any_holder=True)

    api.loop.run(end())
    assert api.get(f"/v1/commands/{command_id}").json()["said"] == "REJECTED"
    listed = api.get("/v1/commands?charge_point=CP-001&state=RESULT").json()["items"]
    assert [row["id"] for row in listed] == [command_id]
