"""The whole product for stories of charging: every service a process, two eMSPs around it."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Loop
from tests.e2e.emsp import Emsp
from tests.e2e.emsp_server import emsp_serving
from tests.e2e.processes import Process, Processes, eventually, processes
from tests.serving import free_port

CP = "CP-001"
PLACE = {"location_id": CP, "evse_uid": CP}
FULL_W, HALF_W = 22_000, 11_000
METADATA = {"power_rating": "22kW", "type": "AC", "tariff_ids": ["E2E"]}
TARIFF = {
    "country_code": "DE",
    "party_id": "CPO",
    "id": "E2E",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [
                {"type": "FLAT", "price": 1.0, "vat": 20, "step_size": 1},
                {"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1},
                {"type": "PARKING_TIME", "price": 3.0, "vat": 20, "step_size": 1},
            ]
        }
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}


class ChargingSystem:
    """EV_Registry, EV_Central with OCPI, one charge point; `first` and `second`: two eMSPs."""

    def __init__(self, running: Processes, store_url: str, first: Emsp, second: Emsp) -> None:
        self.first, self.second = first, second
        self._running = running
        self._registry_port, self._central_port = free_port(), free_port()
        self._engine_port = free_port()
        self._link_key = secrets.token_hex(16)
        self.central_url = f"http://127.0.0.1:{self._central_port}"
        self._store = {
            "CPO_MONGO_URL": store_url,
            "REGISTRY_SECRET_KEY": secrets.token_hex(20),
            "CPO_ENCRYPTION_KEY": secrets.token_hex(20),
            "CPO_ADMIN_PASSWORD": "the-operators-own",
            "CPO_ALLOW_PRIVATE_URLS": "true",
            "CENTRAL_PORT": str(self._central_port),
        }

    # --- its parts ----------------------------------------------------------------------------

    def start(self, settings: dict[str, str], *, both: bool) -> None:
        """Start everything and make the eMSPs known; `settings`: Central's."""
        tariff_file = self._running.directory / "tariff.json"
        tariff_file.write_text(json.dumps(TARIFF))
        quick = {
            "CPO_SESSION_UPDATE_S": "0.3",
            "CENTRAL_AUTHORIZE_TIMEOUT_S": "1",
            "CENTRAL_MAX_POWER_FACTOR": "0",  # cars are charged faster than time
        }
        self.registry = self._running.cpo(
            "registry", "--port", str(self._registry_port), **self._store
        )
        self.central = self._running.cpo("serve", **self._store, **quick, **settings)
        self.engine, self.monitor = self._engine(), self._monitor()
        self.ready()
        with ThreadPoolExecutor() as at_once:
            jobs: list[Future[Any]] = [
                at_once.submit(self._invited),
                at_once.submit(self.cpo, "tariffs", "import", str(tariff_file)),
            ]
            if both:
                jobs.append(at_once.submit(self._connected))
            for job in jobs:
                job.result()
        self.evse_is("AVAILABLE")

    def ready(self) -> None:
        url = f"{self.central_url}/readyz"
        eventually(lambda: httpx.get(url).status_code == 200, what=f"readiness\n{self.central.log}")

    def _invited(self) -> None:
        invited = json.loads(self.cpo("peers", "invite", "--name", "First", "--any-party"))
        self.first.register(invited["versions_url"], invited["token"])

    def _connected(self) -> None:
        server = self.second.server
        url = ("--versions-url", server.versions_url)
        self.cpo(
            "peers", "connect", *url, "--token", server.token, "--any-party", "--name", "Second"
        )
        self.second.registered()

    def _engine(self) -> Process:
        return self._running.cpo(
            "engine",
            CP_ENGINE_CP_ID=CP,
            CP_ENGINE_HOST="127.0.0.1",
            CP_ENGINE_HEALTH_PORT=str(self._engine_port),
            CP_ENGINE_LINK_KEY=self._link_key,
            CP_ENGINE_TELEMETRY_INTERVAL="0.2",
            CP_ENGINE_AUTO_UNPLUG_AFTER="0.2",
            CP_STATE_DIR=str(self._running.directory / "cp"),
        )

    def _monitor(self) -> Process:
        return self._running.cpo(
            "monitor",
            CP_MONITOR_CP_ID=CP,
            CP_MONITOR_LOCATION="Berlin",
            CP_MONITOR_METADATA=json.dumps(METADATA),
            CP_MONITOR_CP_E_HOST="127.0.0.1",
            CP_MONITOR_CP_E_PORT=str(self._engine_port),
            CP_MONITOR_CENTRAL_PORT=str(self._central_port),
            CP_MONITOR_CENTRAL_HOST="127.0.0.1",
            CP_MONITOR_HEALTH_INTERVAL="0.5",
            CP_MONITOR_REGISTRY_URL=f"http://127.0.0.1:{self._registry_port}",
            CP_MONITOR_LINK_KEY=self._link_key,
            CP_MONITOR_KEYRING="false",
            CP_STATE_DIR=str(self._running.directory / "cp"),
        )

    # --- whoever works with it ----------------------------------------------------------------

    def cpo(self, *arguments: str) -> str:
        """A command of the operator's; what it prints."""
        done = self._running.command(*arguments, **self._store)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def act(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The same through the API of the server that runs: no process to be started for it."""
        answer = httpx.post(
            f"{self.central_url}/api/v1{path}",
            json=parameters,
            auth=("admin", self._store["CPO_ADMIN_PASSWORD"]),
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def at_charge_point(self, action: str, **fields: Any) -> dict[str, Any]:
        """What a driver does there: plug, unplug, swipe, ..."""
        response = httpx.post(
            f"http://127.0.0.1:{self._engine_port}/sim",
            json={"action": action, **fields},
            headers={"Authorization": f"Bearer {self._link_key}"},
            timeout=20,
        )
        assert response.status_code == 200, response.text
        return response.json()

    def swipe(self, uid: str) -> dict[str, Any]:
        """What came of a card at the reader."""
        return self.at_charge_point("swipe", token_uid=uid)["swipe"]

    def engine_health(self) -> dict[str, Any]:
        return httpx.get(f"http://127.0.0.1:{self._engine_port}/health").json()

    def price(self, cdr: dict[str, Any]) -> dict[str, Any]:
        """What `cpo price` says that a CDR costs."""
        directory = self._running.directory
        tariff, file = directory / "tariff.json", directory / "cdr.json"
        file.write_text(json.dumps(cdr))
        arguments = ("--tariff", str(tariff), "--cdr", str(file), "--time-zone", "Europe/Berlin")
        return json.loads(self.cpo("price", *arguments))

    def session_is_suspect(self, session_id: str) -> None:
        """Wait until Central has said that it is."""
        line = f"session {session_id} is suspect"
        eventually(lambda: line in self.central.output, 40, what="a suspect session")

    def evse_is(self, status: str, timeout_s: float = 40) -> None:
        """Wait until a GET says so."""
        eventually(
            lambda: self.first.evse_status(CP, CP) == status, timeout_s, what=f"an EVSE {status}"
        )


@contextlib.contextmanager
def charging_system(
    loop: Loop, directory: Path, store_url: str, settings: dict[str, str], *, both: bool = False
) -> Iterator[ChargingSystem]:
    """Everything started and acquainted while the block runs; `settings`: Central's.

    `both`: the second eMSP is registered, too.
    """
    with (
        emsp_serving(loop, ("DE", "AAA")) as one,
        emsp_serving(loop, ("NL", "BBB")) as other,
        contextlib.closing(Emsp(one)) as first,
        contextlib.closing(Emsp(other)) as second,
        processes(directory) as running,
    ):
        one.tokens = [first.token(f"PULLED-{number}") for number in range(1, 4)]
        system = ChargingSystem(running, store_url, first, second)
        system.start(settings, both=both)
        yield system
