"""A gateway on a real socket and a real store, and stations that were added."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from auth.charge_point_credentials import CredentialHashes
from cpo_app.backend import Backend
from cpo_app.ocpp.gateway import Door
from cpo_app.ocpp_process import OcppProcess
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.ocpp import stations
from domain.ocpp.adding import add_station
from domain.ocpp.stations import Station
from domain.places import geonames
from domain.secrets import Vault
from tests.conftest import Loop
from tests.peers.ocpp_box import Box16, Box201
from tests.settings_of import settings_of

KEY = "k" * 40
PASSWORD = "a-password-of-the-tests"


@dataclass
class World:
    """Gateways on one store; `run` runs a story in their loop."""

    loop: Loop
    db: Database
    settings: Settings
    store: DbInterface = field(init=False)
    gateways: list[OcppProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = DbInterface(self.db)

    def run(self, story: Coroutine[Any, Any, Any], timeout_s: float = 60) -> Any:
        return self.loop.run(story, timeout_s)

    async def gateway(self, doors: list[Door] | None = None, **changed: object) -> OcppProcess:
        """One more gateway, on a port of its own."""
        settings = self.settings.copy(update=changed)
        # A backend closes its database: the one of the tests is everybody's.
        db = Database(self.db.client, self.db.name, clock=self.db.clock)
        db.writers = self.db.writers
        backend = Backend(settings, db, Vault(KEY))
        process = OcppProcess(backend)
        db.close = lambda: None  # type: ignore[method-assign]
        self.gateways.append(process)
        await process.start(doors or [Door("127.0.0.1", 0)])
        return process

    async def add(self, station_id: str, **given: Any) -> Station:
        """A station of the operator's, with PASSWORD."""
        # Loaded in the transaction it may outlast that on a busy host.
        await geonames.loaded()
        (digest, *_) = CredentialHashes(KEY).of(PASSWORD)
        told: dict[str, Any] = {"location": "Utrecht", "password_hash": digest, **given}
        return await self.store.transact(
            lambda tx: add_station(tx, station_id, party=self.settings.parties[0], **told)
        )

    async def station(self, station_id: str) -> Station:
        found = await stations.get(self.db, station_id)
        assert found is not None
        return found

    def url(self, process: OcppProcess | None = None) -> str:
        chosen = process or self.gateways[0]
        return f"ws://127.0.0.1:{chosen.gateway.ports[0]}"

    @contextlib.asynccontextmanager
    async def box16(self, station_id: str = "CP-007", **given: Any) -> AsyncIterator[Box16]:
        """A station that was added, connected to the first gateway."""
        if not self.gateways:
            await self.gateway()
        async with Box16(self.url(), station_id, PASSWORD, **given) as box:
            yield box

    @contextlib.asynccontextmanager
    async def box201(self, station_id: str = "CP-201", **given: Any) -> AsyncIterator[Box201]:
        if not self.gateways:
            await self.gateway()
        async with Box201(self.url(), station_id, PASSWORD, **given) as box:
            yield box

    async def until(
        self, condition: Callable[[], Coroutine[Any, Any, Any]], within_s: float = 20
    ) -> Any:
        """What the condition gives as soon as it is something."""
        async with _Deadline(within_s):
            while not (found := await condition()):
                await asyncio.sleep(0.02)
            return found

    async def close(self) -> None:
        for process in self.gateways:
            await process.stop()


class _Deadline:
    def __init__(self, within_s: float) -> None:
        self._within_s = within_s

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._timer = asyncio.get_running_loop().call_later(self._within_s, task.cancel)

    async def __aexit__(self, *_: object) -> None:
        self._timer.cancel()


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[World]:
    settings = settings_of(CPO_ENCRYPTION_KEY=KEY, REGISTRY_SECRET_KEY=KEY, CPO_OCPP_PING_S=1)
    world = World(loop, db, settings)
    yield world
    loop.run(world.close(), timeout_s=30)
