"""EV_Registry on a real database, spoken to over HTTP; the clock is the test's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cpo_app.registry.app import build_registry
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from tests.clock import Clock
from tests.conftest import Loop
from tests.settings_of import settings_of

SECRET = "registry-secret-" * 3
ADMIN_KEY = "the-admin-key-of-the-registry"


class Api:
    """A running EV_Registry as its callers meet it."""

    def __init__(self, loop: Loop, store: DbInterface, settings: Settings) -> None:
        self.loop = loop
        self.store = store
        self.party = settings.parties[0]
        app = build_registry(settings, store)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]
            base_url="http://registry",
        )

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.loop.run(self.client.request(method, path, **options))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def register(
        self,
        cp_id: str,
        location: str = "Berlin",
        *,
        key: str = "",
        existing: str = "",
        **more: Any,
    ) -> httpx.Response:
        headers = {"X-Registry-API-Key": key, "X-Existing-Credentials": existing}
        return self.request(
            "POST",
            "/cp/register",
            json={"cp_id": cp_id, "location": location, **more},
            headers={name: value for name, value in headers.items() if value},
        )

    def registered(self, cp_id: str, location: str = "Berlin", **more: Any) -> dict[str, Any]:
        answer = self.register(cp_id, location, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def authenticate(self, cp_id: str, credentials: str) -> httpx.Response:
        return self.request(
            "POST", "/cp/authenticate", json={"cp_id": cp_id, "credentials": credentials}
        )

    def deregister(
        self, cp_id: str, *, key: str = "", token: str = "", existing: str = ""
    ) -> httpx.Response:
        headers = {"X-Registry-API-Key": key} if key else {}
        if existing:
            headers["X-Existing-Credentials"] = existing
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.request("DELETE", f"/cp/{cp_id}", headers=headers)

    def location(self, location_id: str) -> dict[str, Any] | None:
        """What peers would be sent, or None where it is not visible to them."""
        raw = self.loop.run(self.store.objects("locations").read(location_id, ["*"]))
        return None if raw is None else httpx.Response(200, content=raw).json()

    def close(self) -> None:
        self.loop.run(self.client.aclose())


@pytest.fixture
def clock(db: Database) -> Clock:
    """The database's; it starts now, and a test moves it."""
    clock = Clock()
    db.clock = clock
    return clock


@pytest.fixture
def make_api(loop: Loop, db: Database, clock: Clock) -> Iterator[Callable[..., Api]]:
    """`make_api(REGISTRY_...=...)`: EV_Registry with these settings on the fresh database."""
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        values: dict[str, Any] = {"REGISTRY_SECRET_KEY": SECRET, "CPO_ENCRYPTION_KEY": ""}
        api = Api(loop, DbInterface(db), settings_of(**{**values, **settings}))
        made.append(api)
        return api

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """Open to new charge points: no admin key is set."""
    return make_api()


@pytest.fixture
def guarded(make_api: Callable[..., Api]) -> Api:
    """With REGISTRY_ADMIN_API_KEY set."""
    return make_api(REGISTRY_ADMIN_API_KEY=ADMIN_KEY)
