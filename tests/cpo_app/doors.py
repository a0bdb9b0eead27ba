"""The four doors that strangers stand before: OCPI and EV_Central with the operator's pages (the
app of port 8000), EV_Registry (8080), and an engine (8001). Built as they are served.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Message, Scope

from cpo_app.backend import Backend
from cpo_app.charge_point.engine_http import build_app as build_engine_app
from cpo_app.main import build_app
from cpo_app.registry.app import build_registry
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.charge_point.worlds import new_engine
from tests.settings_of import settings_of

SECRET = "registry-secret-" * 3
PASSWORD = "the-operators-own"
ADMIN_KEY = "the-admin-key-of-the-registry"


def basic(password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()}


@dataclass
class Doors:
    """The apps on one database; `backend` is the inside of the one on port 8000."""

    backend: Backend
    main: ASGIApp
    registry: ASGIApp

    @classmethod
    def on(cls, db: Database, **changed: object) -> Doors:
        settings = settings_of(
            **{
                "REGISTRY_SECRET_KEY": SECRET,
                "CPO_ADMIN_PASSWORD": PASSWORD,
                "REGISTRY_ADMIN_API_KEY": ADMIN_KEY,
                "CPO_APPROVE_PEERS": True,
            }
            | changed
        )
        backend = Backend(settings, db, Vault("k" * 32))
        return cls(backend, build_app(backend), build_registry(settings, DbInterface(db)))


def engine_door(state_dir: Path) -> ASGIApp:
    """An engine's, with the simulation switched on."""
    engine = new_engine(state_dir, simulation=True)
    engine._listener.close()  # spoken to without its port
    return build_engine_app(engine)


def ask(
    loop: Loop, app: ASGIApp, method: str, path: str, client: str = "203.0.113.9", **options: object
) -> httpx.Response:
    """One request from an address."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(client, 50000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.request(method, path, **options)  # type: ignore[arg-type]

    return loop.run(request())


class HangsUp:
    """A client that goes away after the first bytes of its body."""

    def __init__(self) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": b'{"cp_id": "CP', "more_body": True},
            {"type": "http.disconnect"},
        ]

    async def receive(self) -> Message:
        return self._messages.pop(0) if len(self._messages) > 1 else self._messages[0]


def scope_of(method: str, path: str, headers: dict[str, str]) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
        "root_path": "",
    }
