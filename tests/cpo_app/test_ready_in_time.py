"""/readyz tells within two seconds, however long what it looks at would take; in virtual time, so
that it is the sum of what is waited for, not this host's speed."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from mongomock_motor import AsyncMongoMockClient

from cpo_app.central.health import build_health_router
from cpo_app.registry.app import build_registry
from db_interface.database import Database
from db_interface.interface import DbInterface
from tests.cpo_app.doors import ADMIN_KEY, SECRET
from tests.settings_of import settings_of
from tests.virtual_time import in_virtual_time

TOLD_WITHIN_S = 2.0


async def _never(*_: object) -> bool:
    await asyncio.Event().wait()
    return True


async def _readyz(app: FastAPI) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        return await http.get("/readyz")


def test_central_says_what_is_missing_although_nothing_answers() -> None:
    app = FastAPI()
    names = ["store", "indexes", "watch"]
    app.include_router(build_health_router(dict.fromkeys(names, _never)))

    answer, took_s = in_virtual_time(_readyz(app))

    assert (answer.status_code, answer.json()["missing"]) == (503, names)
    assert 0 < took_s <= TOLD_WITHIN_S


def test_registry_says_so_although_its_store_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "ping", _never)
    store = DbInterface(Database(AsyncMongoMockClient(), transactions=False))
    settings = settings_of(REGISTRY_SECRET_KEY=SECRET, REGISTRY_ADMIN_API_KEY=ADMIN_KEY)

    answer, took_s = in_virtual_time(_readyz(build_registry(settings, store)))

    assert (answer.status_code, answer.json()["missing"]) == (503, ["database"])
    assert 0 < took_s <= TOLD_WITHIN_S
