"""Stations that the operator has noted a quirk of are treated otherwise, and no others."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from websockets.exceptions import InvalidStatus

from cpo_app.ocpp import connection as connections
from cpo_app.ocpp import schemas
from domain.ocpp import stations
from domain.ocpp.quirks import (
    KNOWN,
    LOCAL_TIME,
    NO_SUBPROTOCOL,
    QUIET_BEFORE_BOOT,
    QUIRKS,
    SLOW_CALLS,
    SLOW_START,
    in_force,
    wall_clock,
)
from domain.ocpp.stations import Station
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


async def held(world: World) -> connections.Connection:
    async def there() -> connections.Connection | None:
        return world.gateways[0].gateway.held.get("CP-007")

    found: connections.Connection = await world.until(there)
    return found


def told(vendor: str = "", model: str = "", firmware: str = "") -> Station:
    return {"_id": "CP-007", "vendor": vendor, "model": model, "firmware": firmware}


@pytest.mark.parametrize(
    ("station", "known"),
    [
        (told("Growatt", "THOR_11AS"), [LOCAL_TIME]),
        (told("GROWATT", "Thor 22AS-P"), [LOCAL_TIME]),
        (told("Growatt", "Other"), []),
        (told("Acme", "THOR_11AS"), []),
        (told("", "F2ME.EPROSE01TXX", "2.9.3"), [SLOW_START]),
        (told("", "F2ME.EPROSE01TXX", "2.10.0"), []),
        (told("Wall Box Chargers", "PLP2-M-2-4", "6.6.12"), [QUIET_BEFORE_BOOT]),
        (told("Wall Box Chargers", "PLP2-M-2-4", "5.17.59"), []),
        ({"_id": "CP-007"}, []),
    ],
)
def test_what_is_known_of_a_make(station: Station, known: list[str]) -> None:
    assert in_force(station) == known


def test_the_operators_word_outranks_what_is_known() -> None:
    thor = told("Growatt", "THOR_11AS")
    assert in_force({**thor, "quirks_off": [LOCAL_TIME]}) == []
    assert in_force({**thor, "quirks": [SLOW_CALLS]}) == [LOCAL_TIME, SLOW_CALLS]


def test_each_has_its_reason_and_what_is_known_its_source() -> None:
    for box in KNOWN:
        assert box.quirk in QUIRKS and box.source.startswith("https://")
        assert box.vendor or box.model


def test_its_make_is_known_once_it_has_booted(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007", location="Lisbon", metadata={"power_rating": "22kW"})
        async with world.box16() as box:
            connection = await held(world)
            assert connection.wall_clock is None
            await box.boot(charge_point_vendor="Growatt", charge_point_model="THOR_11AS")
            assert str(connection.wall_clock) == "Europe/Lisbon"

    world.run(story())


def test_the_answer_to_its_start_is_kept_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SLOW_START_S", 0.3)

    async def story() -> float:
        await world.add("CP-007")
        await stations.update(world.db, "CP-007", {"quirks": [SLOW_START]})
        async with world.box16() as box:
            await box.boot()
            began = time.monotonic()
            await box.start("CARD")
            return time.monotonic() - began

    assert world.run(story()) >= 0.3


def test_one_that_has_to_boot_first_is_asked_nothing_before(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        await stations.update(world.db, "CP-007", {"quirks": [QUIET_BEFORE_BOOT]})
        async with world.box16() as box:
            connection = await held(world)
            asking = asyncio.create_task(connection.call("ClearCache", {}))
            await box.heartbeat()
            assert box.asked == []
            await box.boot()
            await box.next("ClearCache")
            await asking

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
