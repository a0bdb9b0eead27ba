"""Energy that flows without a session raises an alarm, and makes no bill."""

from __future__ import annotations

import pytest

from domain.charge_points import unaccounted_energy
from domain.operator.snapshot import snapshot
from tests.cpo_app.central.conftest import World, meter


def test_meter_values_of_an_unknown_session_raise_an_alarm(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    shown = world.enrol("CP-001")
    api = world.api()
    assert api.register(shown).status_code == 200

    assert api.telemetry(shown, meter(1, 100.0), meter(2, 200.0)).json()["acked"] == 2

    alarm = world.loop.run(unaccounted_energy.of(world.db, "CP-001"))
    assert alarm is not None
    assert (alarm["session_id"], alarm["energy_wh"], alarm["power_w"]) == ("S1", 200.0, 11000)
    assert world.loop.run(snapshot(world.db)).unaccounted == 1
    said = [r for r in caplog.records if "energy flows without a session" in r.getMessage()]
    assert len(said) == 1


def test_a_meter_at_rest_is_no_alarm(world: World) -> None:
    shown = world.enrol("CP-001")
    api = world.api()
    api.register(shown)

    api.telemetry(shown, {**meter(1, 0.0), "power_w": 0})

    assert world.loop.run(unaccounted_energy.number(world.db)) == 0
