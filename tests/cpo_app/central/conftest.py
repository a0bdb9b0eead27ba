"""EV_Central on a real store, spoken to over HTTP as charge points do; the clock is the test's."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.charge_point_access import Admission
from auth.charge_point_tokens import issue
from cpo_app.add_routes import add_routes
from cpo_app.central.health import build_health_router, central_checks
from cpo_app.central.router import build_router
from cpo_app.central.service import Authorize, Central
from cpo_app.central.telemetry import Handler
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.charge_points import charge_points, evse_history, registrations
from domain.charge_points.registrations import Application, Proof
from domain.secrets import Vault
from tests.clock import Clock
from tests.conftest import Loop
from tests.settings_of import settings_of

SECRET = "registry-secret-" * 3
VAULT = Vault("v" * 40)
ADMIN_PASSWORD = "central's operator"


def basic(password: str, user: str = "admin") -> dict[str, str]:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


class World:
    """One store, and as many Centrals ("workers") on it as a test makes."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop = db, loop
        self.store = DbInterface(db)
        self.clock = db.clock = Clock()
        self.workers: list[Central] = []
        self.clients: list[httpx.AsyncClient] = []

    def central(
        self,
        *,
        authorize: Authorize | None = None,
        handlers: Sequence[Handler] | None = None,
        **settings: Any,
    ) -> Central:
        """A further worker."""
        given: dict[str, Any] = {
            "REGISTRY_SECRET_KEY": SECRET,
            "CPO_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "CENTRAL_HEARTBEAT_INTERVAL_S": 2,
            "CENTRAL_ENGINE_PLAIN_HTTP": True,
            **settings,
        }

        async def let_in(
            token: str | None,
            cp_id: str,
            *,
            required: bool,
            certificate: str | None = None,
            at_leisure: bool = False,
        ) -> None:
            unregistered = bool(given.get("CENTRAL_ALLOW_UNREGISTERED"))
            await Admission(self.db, SECRET, unregistered=unregistered, gather_s=0).admit(
                token, cp_id, required=required, certificate=certificate, at_leisure=at_leisure
            )

        central = Central(
            self.store,
            settings_of(**given),
            VAULT,
            admit=let_in,
            uptime=lambda: self.clock.at.timestamp(),
            authorize=authorize,
            handlers=handlers,
            gather_s=0,
        )
        self.workers.append(central)
        return central

    def api(self, central: Central | None = None, *, client: str = "127.0.0.1") -> Api:
        return Api(self, central or self.central(), client)

    def enrol(self, cp_id: str, proof: Proof = Proof(admin=True)) -> str:
        """Register with EV_Registry; the token."""
        made = self.loop.run(
            registrations.register(
                self.store,
                Application(cp_id, "Berlin", {"site_id": "SITE-1"}),
                proof=proof,
                open_to_new=True,
                credentials_hash="0" * 64,
                party=settings_of().parties[0],
            )
        )
        return token(cp_id, version=made.record["token_version"])

    def document(self, cp_id: str = "CP-001") -> JsonMapping:
        found = self.loop.run(charge_points.get(self.db, cp_id))
        assert found is not None
        return found

    def status(self, cp_id: str = "CP-001") -> str:
        """The status of its EVSE as peers get it."""
        location = self.loop.run(self.store.get("locations", "de/cpo/site-1"))
        assert location is not None
        return next(evse["status"] for evse in location["evses"] if evse["uid"] == cp_id)

    def history(self, cp_id: str = "CP-001") -> list[str]:
        begin, end = self.clock.at - timedelta(days=1), self.clock.at + timedelta(days=1)
        rows = self.loop.run(evse_history.history(self.db, cp_id, begin, end))
        return [row["to"] for row in rows]

    async def close(self) -> None:
        for worker in self.workers:
            await worker.stop()
        for client in self.clients:
            await client.aclose()


class Api:
    """One worker as its callers meet it."""

    def __init__(self, world: World, central: Central, client: str) -> None:
        self.world, self.central = world, central
        app = FastAPI()
        add_routes(app, build_router(central))
        add_routes(app, build_health_router(central_checks(central)))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, client=(client, 50000)),  # type: ignore[arg-type]
            base_url="http://127.0.0.1:8000",
        )
        world.clients.append(self.http)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Of the operator's, unless it is a POST (a charge point's) or says whose it is."""
        if method != "POST" and "headers" not in options:
            options["headers"] = basic(ADMIN_PASSWORD)
        return self.world.loop.run(self.http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, token: str | None, body: Any) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.request("POST", path, headers=headers, json=body)

    def register(
        self, token: str | None, cp_id: str = "CP-001", host: str = "127.0.0.1", port: int = 8001
    ) -> httpx.Response:
        body = {"cp_id": cp_id, "cp_e_host": host, "cp_e_port": port}
        return self.post("/cp/register", token, body)

    def beat(
        self, token: str | None, *faults: str, cp_id: str = "CP-001", interval_s: float = 2
    ) -> httpx.Response:
        engine = {
            "state": "FAULTED" if faults else "AVAILABLE",
            "faults": [{"code": code, "message": "as seen"} for code in faults],
        }
        body = {"cp_id": cp_id, "interval_s": interval_s, "engine": engine}
        return self.post("/cp/heartbeat", token, body)

    def telemetry(
        self,
        token: str | None,
        *messages: dict[str, Any],
        boot_id: str = "boot-1",
        cp_id: str = "CP-001",
        **more: Any,
    ) -> httpx.Response:
        body = {"cp_id": cp_id, "boot_id": boot_id, "messages": list(messages), **more}
        return self.post("/cp/telemetry", token, body)


_EARLIER = timedelta(days=1000)


def token(
    cp_id: str, *, version: int = 1, secret: str = SECRET, lifetime_s: float = 60 * 86_400
) -> str:
    """In force for longer than a test lets its clock run."""
    return issue(
        secret,
        cp_id=cp_id,
        location="Berlin",
        token_version=version,
        # Some tests turn the clock to a day long past, and it stands still in all of them.
        lifetime=timedelta(seconds=lifetime_s) + _EARLIER,
        now=datetime.now(timezone.utc) - _EARLIER,
    )[0]


def state(seq: int, value: str, *, plugged: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "seq": seq,
        "kind": "state",
        "at": "2025-05-01T12:00:00Z",
        "connector_id": "1",
        "state": value,
        "ev_state": "plugged" if plugged else "unplugged",
        **more,
    }


def meter(seq: int, energy_wh: float = 100.0) -> dict[str, Any]:
    return {
        "seq": seq,
        "kind": "meter",
        "at": "2025-05-01T12:00:01Z",
        "connector_id": "1",
        "session_id": "S1",
        "energy_wh": energy_wh,
        "register_wh": 5000 + energy_wh,
        "power_w": 11000,
        "current_a": 16,
        "voltage_v": 230,
        "phases": 3,
    }


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[World]:
    world = World(db, loop)
    yield world
    loop.run(world.close())
