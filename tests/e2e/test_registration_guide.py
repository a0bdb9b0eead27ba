"""The registration guide walked end to end, every service a process of its own."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from db_interface.database import Database
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from tests.conftest import Loop
from tests.e2e.plain_emsp import PlainEmsp
from tests.e2e.processes import Process, Processes, alive, children_of, eventually
from tests.serving import free_port

REGISTRY_SECRET, ENCRYPTION_KEY = "r" * 40, "e" * 40
pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


class Guide:
    """The system of the guide: where everything is and how it is set up."""

    def __init__(self, running: Processes, store_url: str) -> None:
        self.running = running
        self.registry_port, self.central_port = free_port(), free_port()
        self.engine_port = free_port()
        self.registry = f"http://127.0.0.1:{self.registry_port}"
        self.central = f"http://127.0.0.1:{self.central_port}"
        self.store = {
            "CPO_MONGO_URL": store_url,
            "REGISTRY_SECRET_KEY": REGISTRY_SECRET,
            "CPO_ENCRYPTION_KEY": ENCRYPTION_KEY,
            "CPO_ADMIN_PASSWORD": "the-operators-own",
        }
        self.state_dir = str(running.directory / "cp")

    def start_registry(self) -> Process:
        return self.running.cpo("registry", "--port", str(self.registry_port), **self.store)

    def start_central(self) -> Process:
        return self.running.cpo("serve", "--port", str(self.central_port), **self.store)

    def start_engine(self) -> Process:
        return self.running.cpo(
            "engine",
            CP_ENGINE_CP_ID="CP-001",
            CP_ENGINE_HOST="127.0.0.1",
            CP_ENGINE_HEALTH_PORT=str(self.engine_port),
            CP_STATE_DIR=self.state_dir,
        )

    def start_monitor(self) -> Process:
        return self.running.cpo(
            "monitor",
            CP_MONITOR_CP_ID="CP-001",
            CP_MONITOR_LOCATION="Berlin",
            CP_MONITOR_METADATA='{"power_rating": "22kW", "type": "AC"}',
            CP_MONITOR_CP_E_HOST="127.0.0.1",
            CP_MONITOR_CP_E_PORT=str(self.engine_port),
            CP_MONITOR_CENTRAL_HOST="127.0.0.1",
            CP_MONITOR_CENTRAL_PORT=str(self.central_port),
            CP_MONITOR_HEALTH_INTERVAL="0.5",
            CP_MONITOR_REGISTRY_URL=self.registry,
            CP_MONITOR_KEYRING="false",
            CP_STATE_DIR=self.state_dir,
        )

    def ready(self) -> None:
        for url in (self.registry, self.central):
            eventually(lambda u=url: httpx.get(f"{u}/readyz").status_code == 200, what=url)  # type: ignore[misc]

    def register_with_central(self, cp_id: str, token: str | None) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        body = {"cp_id": cp_id, "cp_e_host": "127.0.0.1", "cp_e_port": 9}
        return httpx.post(f"{self.central}/cp/register", json=body, headers=headers)


@pytest.fixture
def guide(running: Processes, store_url: str, db: Database) -> Guide:
    return Guide(running, store_url)


@pytest.fixture
def emsp_token(db: Database, loop: Loop) -> str:
    """The functional token of an eMSP that has registered."""
    token = new_token()

    async def register() -> None:
        peers = Peers(db, Vault(ENCRYPTION_KEY))
        peer, _ = await peers.invite("eMSP", datetime.now(timezone.utc), ANY_PARTY)
        roles = [
            {
                "role": "EMSP",
                "country_code": "DE",
                "party_id": "TNM",
                "business_details": {"name": "eMSP"},
            }
        ]
        await peers.connect(
            peer.peer_id,
            our_token=token,
            their_token=new_token(),
            now=datetime.now(timezone.utc),
            roles=roles,
            endpoints=[],
        )

    loop.run(register())
    return token


def evse_status(guide: Guide, emsp_token: str) -> Callable[[str], Callable[[], Any]]:
    emsp = PlainEmsp(emsp_token)
    url = f"{guide.central}/ocpi/cpo/2.2.1/locations"

    def expect(status: str) -> Callable[[], Any]:
        return lambda: (
            [
                evse["status"]
                for location in emsp.crawl(url)
                if location["id"] == "CP-001"
                for evse in location["evses"]
            ]
            == [status]
        )

    return expect


def test_from_registration_to_ocpi_and_back_after_every_failure(
    guide: Guide, emsp_token: str
) -> None:
    # Given a monitor that is started before any of its servers
    monitor = guide.start_monitor()
    engine = guide.start_engine()
    eventually(lambda: monitor.said("EV_Registry"), what="the monitor says that it waits")

    # When the servers come up, it registers with both
    registry, central = guide.start_registry(), guide.start_central()
    guide.ready()
    eventually(lambda: monitor.said("✓ CP CP-001 registered with EV_Registry"))
    eventually(lambda: monitor.said("CP CP-001 registered with Central successfully"))
    eventually(lambda: registry.said("CP registered: CP-001 at Berlin (new=True, cert=False)"))

    # Then eMSPs see it available, with what Berlin is known for
    status_is = evse_status(guide, emsp_token)
    eventually(status_is("AVAILABLE"))
    url = f"{guide.central}/ocpi/cpo/2.2.1/locations/cp-001"
    location = PlainEmsp(emsp_token).data(url)
    assert (location["city"], location["country"], location["time_zone"]) == (
        "Berlin",
        "DEU",
        "Europe/Berlin",
    )
    assert location["coordinates"]["latitude"].startswith("52.5")

    # An engine that is killed is out of order, and back when it is
    engine.kill()
    eventually(status_is("OUTOFORDER"))
    engine.start()
    eventually(status_is("AVAILABLE"))

    # A monitor that falls silent makes it unknown, and back when it speaks again
    monitor.kill()
    eventually(status_is("UNKNOWN"))
    monitor.start()
    eventually(status_is("AVAILABLE"))

    # Everything killed and started again: nothing is lost, nothing registered anew
    for process in (central, registry, engine, monitor):
        process.kill()
    for process in (registry, central, engine, monitor):
        process.start()
    guide.ready()
    eventually(status_is("AVAILABLE"))
    assert registry.output.count("CP registered") == 1
    facts = httpx.get(f"{guide.registry}/cp/CP-001").json()
    assert facts["status"] == "REGISTERED" and facts["ocpi"]["offered"]

    # SIGTERM ends all of them, and leaves no child
    started = [central, registry, engine, monitor]
    children = [child for process in started for child in children_of(process.pid)]
    assert [process.stop(signal.SIGTERM) for process in started] == [0, 0, 0, 0]
    assert not [child for child in children if alive(child)]


def test_central_lets_in_only_those_that_the_registry_knows(guide: Guide, tmp_path: Path) -> None:
    guide.start_registry()
    guide.start_central()
    guide.ready()

    def registered(cp_id: str) -> dict[str, Any]:
        body = {"cp_id": cp_id, "location": "Berlin"}
        return httpx.post(f"{guide.registry}/cp/register", json=body).json()

    known, other = registered("CP-100"), registered("CP-200")

    refused = guide.register_with_central("CP-999", known["token"])
    assert refused.status_code == 403, refused.text
    assert "CP not registered in EV_Registry or is deregistered" in refused.text

    assert guide.register_with_central("CP-100", other["token"]).status_code == 403
    assert guide.register_with_central("CP-100", None).status_code == 401
    claims = jwt.decode(known["token"], options={"verify_signature": False})
    forged = jwt.encode(claims, "f" * 40, algorithm="HS256")
    assert guide.register_with_central("CP-100", forged).status_code == 401
    unsigned = jwt.encode(claims, None, algorithm="none")  # type: ignore[arg-type]
    assert guide.register_with_central("CP-100", unsigned).status_code == 401

    assert guide.register_with_central("CP-100", known["token"]).status_code == 200

    # Registering again outdates the token; deregistering ends everything at once
    headers = {"X-Existing-Credentials": known["credentials"]}
    body = {"cp_id": "CP-100", "location": "Berlin"}
    again = httpx.post(f"{guide.registry}/cp/register", json=body, headers=headers).json()
    assert guide.register_with_central("CP-100", known["token"]).status_code == 401
    own = {"X-Existing-Credentials": again["credentials"]}
    assert httpx.delete(f"{guide.registry}/cp/CP-100", headers=own).status_code == 200
    assert guide.register_with_central("CP-100", again["token"]).status_code == 403


def test_without_a_database_the_servers_wait_and_say_so(running: Processes) -> None:
    port = free_port()
    central = running.cpo(
        "serve",
        "--port",
        str(port),
        CPO_MONGO_URL=f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=300",
        REGISTRY_SECRET_KEY=REGISTRY_SECRET,
        CPO_ENCRYPTION_KEY=ENCRYPTION_KEY,
    )
    url = f"http://127.0.0.1:{port}"
    answer = eventually(lambda: httpx.get(f"{url}/readyz"))
    assert answer.status_code == 503 and "store" in answer.json()["missing"]
    assert httpx.get(f"{url}/healthz").status_code == 200
    eventually(lambda: central.said("MongoDB not reachable, next try in"))
    assert "Traceback" not in central.output
    assert central.stop() == 0
