"""`cpo ocpp` as real processes: one dies, and its stations go on at another."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from db_interface.database import Database
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.commands.command_targets import place_of
from domain.ocpp import connections
from domain.sessions.session_opening import open_session
from tests.conftest import Loop
from tests.cpo_app.ocpp.conftest import KEY, PASSWORD, World
from tests.domain.authorization.test_authorization import token
from tests.e2e.processes import Process, Processes, alive, children_of, eventually
from tests.peers.ocpp_box import Box16, at
from tests.serving import free_port
from tests.settings_of import settings_of

pytestmark = pytest.mark.processes

READY = "OCPP stations connect at port"


def start(running: Processes, store_url: str, *more: str) -> tuple[Process, str]:
    port = free_port()
    gateway = running.cpo(
        "ocpp",
        f"--port={port}",
        *more,
        CPO_MONGO_URL=store_url,
        CPO_ENCRYPTION_KEY=KEY,
        REGISTRY_SECRET_KEY=KEY,
    )
    return gateway, f"ws://127.0.0.1:{port}"


@pytest.fixture
def world(loop: Loop, db: Database) -> World:
    """For stations that are added; its gateways are processes."""
    return World(loop, db, settings_of(CPO_ENCRYPTION_KEY=KEY, REGISTRY_SECRET_KEY=KEY))


def test_what_a_killed_gateway_held_goes_on_at_another(
    running: Processes, store_url: str, world: World
) -> None:
    first, first_url = start(running, store_url)
    second, second_url = start(running, store_url)
    for gateway in (first, second):
        eventually(lambda one=gateway: one.said(READY), 60)  # type: ignore[misc]

    async def story() -> None:
        await world.add("CP-007")
        async with Box16(first_url, "CP-007", PASSWORD) as box:
            await box.boot()
            before = await connections.of_station(world.db, "CP-007")
            first.kill()
            await box.closed()
        async with Box16(second_url, "CP-007", PASSWORD) as box:
            assert (await box.boot(firmware_version="2"))["status"] == "Accepted"
            after = await connections.of_station(world.db, "CP-007")
            assert before is not None and after is not None
            assert before["holder"] != after["holder"]
            assert (await world.station("CP-007"))["firmware"] == "2"

    world.run(story())
    assert second.stop() == 0
    assert "Traceback" not in second.output


def test_a_stop_that_was_answered_is_never_lost_and_none_is_billed_twice(
    running: Processes, store_url: str, world: World
) -> None:
    """The gateway is killed among the stops of twelve boxes; what was not answered comes again."""
    first, first_url = start(running, store_url)
    second, second_url = start(running, store_url)
    for gateway in (first, second):
        eventually(lambda one=gateway: one.said(READY), 60)  # type: ignore[misc]
    names = [f"CP-{number:03}" for number in range(12)]

    async def story() -> None:
        boxes, stops = {}, {}
        for name in names:
            await world.add(name, metadata={"power_rating": "22kW", "type": "AC"})
            await world.store.transact(partial(commanded, cp_id=name))
            boxes[name] = Box16(first_url, name, PASSWORD)
            await boxes[name].connect()
            await boxes[name].boot()
            begun = await boxes[name].start(name, timestamp=at())
            number = begun["transactionId"]
            stops[name] = {"transactionId": number, "meterStop": 50, "timestamp": at()}
        answered: set[str] = set()

        async def stop(name: str) -> None:
            with contextlib.suppress(ConnectionResetError):
                await boxes[name].call("StopTransaction", stops[name])
                answered.add(name)
                if len(answered) == 3:
                    first.kill()

        await asyncio.gather(*(stop(name) for name in names))
        billed = {cdr["cdr_token"]["uid"] for cdr in await cdrs(world)}
        assert answered <= billed
        for name in names:
            async with Box16(second_url, name, PASSWORD) as box:
                if name not in answered:
                    # What the dead gateway had in hand is in the way for some seconds.
                    await box.call("StopTransaction", stops[name], within_s=40)
        bills = sorted((cdr["cdr_token"]["uid"], cdr["total_energy"]) for cdr in await cdrs(world))
        assert bills == [(name, 0.05) for name in names]

    world.run(story(), timeout_s=120)
    assert second.stop() == 0
    assert "Traceback" not in second.output


async def commanded(tx: Tx, cp_id: str) -> str:
    """START_SESSION has opened a session for the token of that uid."""
    place = await place_of(tx, cp_id)
    assert place is not None
    return await open_session(
        tx,
        cp_id=cp_id,
        location=place.location,
        evse=place.evse,
        connector=place.connector(None),
        token=token(cp_id),
        auth_method="COMMAND",
        authorization_reference=None,
        source="remote",
    )


async def cdrs(world: World) -> list[JsonMapping]:
    rows = await world.store.objects("cdrs").documents({})
    return [row["fields"] for row in rows]


def test_workers_share_a_port_and_none_outlives_its_parent(
    running: Processes, store_url: str, world: World
) -> None:
    gateway, url = start(running, store_url, "--workers=2")
    eventually(lambda: gateway.output.count(READY) == 2, 60)

    async def all_connect() -> None:
        names = [f"CP-{number:03}" for number in range(16)]
        for name in names:
            await world.add(name)
        boxes = [Box16(url, name, PASSWORD) for name in names]
        for box in boxes:
            await box.connect()
            await box.boot()
        assert len(await connections.some(world.db, names)) == len(names)
        for box in boxes:
            await box.close()

    world.run(all_connect())
    family = children_of(gateway.pid)
    victim = next(
        child for child in family if Path(f"/proc/{child}/comm").read_text() == "ocpp --worker\n"
    )
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: gateway.output.count(READY) == 3, 60)
    gateway.kill()
    eventually(lambda: not [child for child in family if alive(child)], 15, "no orphans")
    assert "Traceback" not in gateway.output
