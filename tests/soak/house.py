"""Everything that a soak needs, as processes: store, registry, workers, engines, monitors; and the
wires between them. Says how each is broken and mended; decides nothing about when."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from cpo_app.backend import Backend
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.embedded import EmbeddedMongo
from domain.objects.tariffs import owned_tariff
from domain.outbox.publishing import publish
from domain.peers.terms import Terms
from domain.secrets import Vault
from tests.e2e.charging_system import TARIFF
from tests.e2e.emsp import Emsp
from tests.e2e.processes import Process, Processes, eventually, processes
from tests.one_database import directory_in_memory
from tests.serving import free_port
from tests.soak.plan import Fault, Kind, Plan
from tests.soak.receiver import Receiver
from tests.soak.relay import Relay

SPEED = 60
"""Cars are charged so many times faster than time."""
KW = 22


class House:
    def __init__(self, plan: Plan, running: Processes, mongo: EmbeddedMongo, server: Receiver):
        self.plan, self.server = plan, server
        self.emsp = Emsp(server)
        self._running = running
        self._mongo = mongo
        size = plan.size
        self.cp_ids = [f"CP-{number:03}" for number in range(1, size.charge_points + 1)]
        self.state_dir = running.directory / "charge-points"
        self.engine_ports = [free_port() for _ in self.cp_ids]
        self.store_url = mongo.url.replace("/?", "/soak?")
        self._worker_ports = [free_port() for _ in range(size.workers)]
        self._registry_port = free_port()
        self._front = Relay(self._worker_ports)
        self._uplinks = [Relay(self._worker_ports) for _ in self.cp_ids]
        self._downlinks = [Relay([port]) for port in self.engine_ports]
        self.workers: list[Process] = []
        self.engines: list[Process] = []
        self.monitors: list[Process] = []

    @property
    def _store(self) -> dict[str, str]:
        limit_s = self.plan.size.limit_s
        quarter = str(max(2, int(limit_s / 4)))
        return {
            "CPO_MONGO_URL": self.store_url,
            "REGISTRY_SECRET_KEY": self._key,
            "CPO_ENCRYPTION_KEY": self._key,
            "CPO_ADMIN_PASSWORD": "the-operators-own",
            "CPO_ALLOW_PRIVATE_URLS": "true",
            "OCPI_HOST": f"127.0.0.1:{self._front_port}",
            "COMMAND_AWAIT_TIME": "3",
            "CPO_SESSION_UPDATE_S": "1",
            "CPO_LOG_LEVEL": "WARNING",
            "CPO_RECONCILE_CDRS_HOUR": "-1",
            "CPO_RECONCILE_REGISTERS_S": "0",
            "CPO_MAX_FAILURES_PER_MINUTE": "0",
            "CENTRAL_AUTHORIZE_TIMEOUT_S": "3",
            "CENTRAL_HEARTBEAT_MISSED": "2",
            "CENTRAL_MAX_POWER_FACTOR": str(1.1 * SPEED),
            "CENTRAL_PENDING_TIMEOUT_S": quarter,
            "CENTRAL_SWEEP_AFTER_S": quarter,
            # All three together are the limit of the plan.
            "CENTRAL_ESTIMATE_AFTER_DAYS": f"{limit_s / 2 / 86400:.6f}",
        }

    async def start(self) -> None:
        self._key = secrets.token_hex(20)
        self._front_port = await self._front.listen()
        links = (*self._uplinks, *self._downlinks)
        ports = [await relay.listen() for relay in links]
        self._central_ports = ports[: len(self.cp_ids)]
        self._reached_at = ports[len(self.cp_ids) :]
        run = self._running.cpo
        run("registry", "--port", str(self._registry_port), **self._store)
        for port in self._worker_ports:
            self.workers.append(run("serve", **self._store, CENTRAL_PORT=str(port)))
        for group in range(self.plan.size.groups):
            self.engines.append(self._engines(group))
        await asyncio.to_thread(self._acquaint)
        for group in range(self.plan.size.groups):
            self.monitors.append(self._monitors(group))
        await asyncio.to_thread(self._wait_for_charge_points)

    def _acquaint(self) -> None:
        for port, worker in zip(self._worker_ports, self.workers, strict=True):
            _ready(f"http://127.0.0.1:{port}/readyz", worker)
        token = asyncio.run(self._invited())
        self.emsp.register(f"http://127.0.0.1:{self._front_port}/ocpi/versions", token)
        self.tokens = [
            self.emsp.push_token(f"CARD-{cp_id}", whitelist=("ALWAYS", "NEVER")[number % 2])
            for number, cp_id in enumerate(self.cp_ids)
        ]
        self.server.tokens = list(self.tokens)

    def _wait_for_charge_points(self) -> None:
        for cp_id in self.cp_ids:
            self._is_available(cp_id)

    def _is_available(self, cp_id: str) -> None:
        eventually(lambda: self.emsp.evse_status(cp_id, cp_id) == "AVAILABLE", 60, cp_id)

    async def _invited(self) -> str:
        """What the operator does before: a tariff, and the invitation's token. In this process:
        each command would import everything again."""
        settings = Settings.parse_obj(self._store)
        backend = Backend(settings, Database.connect(self.store_url), Vault(self._key))
        try:
            await backend.store.transact(
                lambda tx: publish(tx.store, "tariffs", owned_tariff(TARIFF), tx)
            )
            _, token = await backend.peers.invite("Soak", backend.db.now(), Terms(any_party=True))
        finally:
            await backend.aclose()
        return token

    def _members(self, group: int) -> range:
        size = self.plan.size
        return range(group * size.group, min((group + 1) * size.group, size.charge_points))

    def _engine_arguments(self, group: int, more_off_s: float) -> tuple[str, ...]:
        engines = [
            {
                "cp_id": self.cp_ids[one],
                "host": "127.0.0.1",
                "health_port": self.engine_ports[one],
                "telemetry_interval": 1,
                "kw_rate": KW,
                "auto_unplug_after": 0.5,
                "plug_timeout": 2,
                "simulation": True,
                "speed": SPEED,
                "car_battery_kwh": 500,
                "state_dir": str(self.state_dir),
            }
            for one in self._members(group)
        ]
        clocks = [self.plan.clocks_off_s[one] + more_off_s for one in self._members(group)]
        told = json.dumps({"engines": engines, "clocks_off_s": clocks})
        return ("tests.soak.fleet", told)

    def _engines(self, group: int) -> Process:
        return self._running.module(*self._engine_arguments(group, 0.0))

    def _monitors(self, group: int) -> Process:
        metadata: dict[str, Any] = {"power_rating": f"{KW}kW", "type": "AC", "tariff_ids": ["E2E"]}
        monitors = [
            {
                "cp_id": self.cp_ids[one],
                "location": "Berlin",
                "metadata": metadata,
                "cp_e_host": "127.0.0.1",
                "cp_e_port": self._reached_at[one],
                "central_host": "127.0.0.1",
                "central_port": self._central_ports[one],
                "health_interval": 1.5,
                "registry_url": f"http://127.0.0.1:{self._registry_port}",
                "keyring": False,
                "state_dir": str(self.state_dir),
            }
            for one in self._members(group)
        ]
        told = json.dumps({"monitors": monitors})
        return self._running.module("tests.soak.fleet", told)

    # --- how things break, and are mended -----------------------------------------------------

    async def suffer(self, fault: Fault) -> None:
        """Break what the fault names, and mend it after its time; also if it is cancelled."""
        try:
            self._break(fault)
            await asyncio.sleep(fault.for_s)
        finally:
            self._mend(fault)

    def _break(self, fault: Fault) -> None:
        kind, target = fault.kind, fault.target
        if kind is Kind.WORKER_KILLED:
            self.workers[target].kill()
        elif kind is Kind.ENGINES_KILLED:
            self.engines[target].kill()
        elif kind is Kind.MONITORS_KILLED:
            self.monitors[target].kill()
        elif kind is Kind.WORKER_PAUSED:
            os.kill(self.workers[target].pid, signal.SIGSTOP)
        elif kind is Kind.ENGINES_PAUSED:
            os.kill(self.engines[target].pid, signal.SIGSTOP)
        elif kind is Kind.STORE_KILLED:
            assert self._mongo.pid is not None
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._mongo.pid, signal.SIGKILL)  # whoever keeps it starts it again
        elif kind is Kind.UPLINK_CUT:
            self._uplinks[target].cut()
            self._downlinks[target].cut()
        elif kind is Kind.UPLINK_HANGS:
            self._uplinks[target].hang()
            self._downlinks[target].hang()
        else:
            self.server.loses_receipts = True

    def _mend(self, fault: Fault) -> None:
        kind, target = fault.kind, fault.target
        if kind is Kind.WORKER_KILLED:
            self.workers[target].start()
        elif kind is Kind.ENGINES_KILLED:
            arguments = self._engine_arguments(target, fault.clock_off_s)
            self.engines[target] = self._running.module(*arguments)
        elif kind is Kind.MONITORS_KILLED:
            self.monitors[target].start()
        elif kind is Kind.WORKER_PAUSED:
            os.kill(self.workers[target].pid, signal.SIGCONT)
        elif kind is Kind.ENGINES_PAUSED:
            os.kill(self.engines[target].pid, signal.SIGCONT)
        elif kind in (Kind.UPLINK_CUT, Kind.UPLINK_HANGS):
            self._uplinks[target].mend()
            self._downlinks[target].mend()
        elif kind is Kind.RECEIPTS_LOST:
            self.server.loses_receipts = False

    def stop_charge_points(self) -> None:
        """End them, so that their journals can be read: nobody else may while they run."""
        for process in (*self.monitors, *self.engines):
            if process.exit_code is None:
                process.kill()

    async def close(self) -> None:
        self.emsp.close()
        for relay in (self._front, *self._uplinks, *self._downlinks):
            await relay.close()


def _ready(url: str, worker: Process) -> None:
    eventually(lambda: httpx.get(url).status_code == 200, 60, str(worker.log))


@contextlib.asynccontextmanager
async def house(plan: Plan, directory: Path, server: Receiver) -> AsyncIterator[House]:
    """Everything started and acquainted while the block runs."""
    with directory_in_memory(directory / "store") as kept:
        mongo = EmbeddedMongo(kept)
        mongo.start()
        try:
            with processes(directory) as running:
                built = House(plan, running, mongo, server)
                try:
                    await built.start()
                    yield built
                finally:
                    await built.close()
        finally:
            mongo.stop()
