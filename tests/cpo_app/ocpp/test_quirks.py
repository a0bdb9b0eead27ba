"""Stations that the operator has noted a quirk of are treated otherwise, and no others."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from websockets.exceptions import InvalidStatus

from cpo_app.ocpp import connection as connections
from cpo_app.ocpp import schemas
from domain.ocpp import stations
from domain.ocpp.quirks import LOCAL_TIME, NO_SUBPROTOCOL, SLOW_CALLS, wall_clock
from tests.cpo_app.ocpp.conftest import PASSWORD, World
from tests.peers.ocpp_box import RawBox

AT = datetime(2025, 7, 1, 12, tzinfo=timezone.utc)


def test_one_that_names_no_subprotocol_is_spoken_to_in_1_6(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await world.gateway()
        silent = RawBox(world.url(), "CP-007", PASSWORD, protocols=())
        with pytest.raises(InvalidStatus) as refused:
            await silent.connect()
        assert refused.value.response.status_code == 400
        await stations.update(world.db, "CP-007", {"quirks": [NO_SUBPROTOCOL]})
        async with RawBox(world.url(), "CP-007", PASSWORD, protocols=()) as box:
            boot = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            assert (await box.call("BootNotification", boot))["status"] == "Accepted"
            assert box.protocol is None
        # Whoever names what we do not speak is refused all the same.
        with pytest.raises(InvalidStatus):
            await RawBox(world.url(), "CP-007", PASSWORD, protocols=("ocpp1.5",)).connect()

    world.run(story())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-07-01T12:00:00", "2025-07-01T10:00:00Z"),
        ("2025-12-01 12:00:00", "2025-12-01T11:00:00Z"),
        ("2025-07-01T12:00:00Z", "2025-07-01T12:00:00Z"),
        ("2025-07-01T12:00:00+01:00", "2025-07-01T11:00:00Z"),
    ],
)
def test_times_without_a_zone_are_of_the_clock_on_the_wall(written: str, meant: str) -> None:
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    mended, _ = schemas.mend(
        "ocpp1.6",
        "StatusNotification",
        {**payload, "timestamp": written},
        AT,
        wall_clock=ZoneInfo("Europe/Amsterdam"),
    )
    assert mended["timestamp"] == meant


def test_that_clock_is_the_one_of_its_location(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", location="Lisbon", metadata={"power_rating": "22kW"})
        station = await world.station("CP-007")
        assert await wall_clock(world.store, station) is None
        zone = await wall_clock(world.store, {**station, "quirks": [LOCAL_TIME]})
        assert zone is not None and zone.key == "Europe/Lisbon"
        nowhere = await world.add("CP-008", location="not said yet")
        assert await wall_clock(world.store, {**nowhere, "quirks": [LOCAL_TIME]}) is None

    world.run(story())


def test_a_slow_one_is_given_time_between_what_it_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW_CALLS_S", 0.2)

    async def story() -> float:
        await world.add("CP-007")
        await stations.update(world.db, "CP-007", {"quirks": [SLOW_CALLS]})
        async with world.box16() as box:
            await box.boot()
            connection = world.gateways[0].gateway.held["CP-007"]
            began = time.monotonic()
            for _ in range(2):
                await connection.call("ClearCache", {})
            return time.monotonic() - began

    assert world.run(story()) >= 0.2
