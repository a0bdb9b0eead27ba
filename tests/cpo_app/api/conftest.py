"""The API of the app as it is served, and those who use it, one of each role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cpo_app.backend import Backend
from db_interface.database import Database
from db_interface.transaction import Tx
from domain.operators import api_keys
from domain.operators.actor import Role
from tests.conftest import Loop
from tests.cpo_app.doors import Doors


@dataclass
class Api:
    doors: Doors
    http: httpx.AsyncClient
    loop: Loop
    keys: dict[Role, str]

    @property
    def backend(self) -> Backend:
        return self.doors.backend

    def as_role(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def request(
        self, method: str, path: str, role: Role | None = Role.ADMIN, **options: Any
    ) -> httpx.Response:
        headers = {} if role is None else self.as_role(role)
        headers |= options.pop("headers", {})
        return self.loop.run(self.http.request(method, f"/api{path}", headers=headers, **options))

    def get(self, path: str, role: Role | None = Role.VIEWER, **options: Any) -> httpx.Response:
        return self.request("GET", path, role, **options)

    def post(
        self, path: str, body: object = None, role: Role | None = Role.ADMIN, **options: Any
    ) -> httpx.Response:
        return self.request("POST", path, role, json=body, **options)


@pytest.fixture
def api(db: Database, loop: Loop) -> Api:
    doors = Doors.on(db, CPO_PARTIES="NL/EVC=Ours")

    async def make() -> tuple[httpx.AsyncClient, dict[Role, str]]:
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=doors.main),  # type: ignore[arg-type]
            base_url="http://cpo.example",
        )
        keys = {}
        for role in Role:

            async def add(tx: Tx, role: Role = role) -> str:
                return await api_keys.add(tx, f"{role.value}-key", role)

            keys[role] = await doors.backend.store.transact(add)
        return http, keys

    http, keys = loop.run(make())
    return Api(doors, http, loop, keys)
