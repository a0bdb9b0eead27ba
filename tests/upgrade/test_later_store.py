"""A server that finds a store of a later version says so in one line, and touches nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from cpo_app.backend import Backend
from cpo_app.main import build_app
from cpo_app.registry.app import build_registry
from db_interface.database import Database
from domain.secrets import Vault
from domain.upgrades import schema_version
from domain.upgrades.steps import STEPS
from tests.conftest import Loop
from tests.serving import served
from tests.settings_of import settings_of

LATER = len(STEPS) + 1
WITHIN_S = 10.0


def central(url: str, db: Database) -> FastAPI:
    settings = settings_of(
        CPO_MONGO_URL=url, CPO_ENCRYPTION_KEY="k" * 40, REGISTRY_SECRET_KEY="r" * 40
    )
    return build_app(Backend(settings, db, Vault("k" * 40)))


def registry(url: str, db: Database) -> FastAPI:
    return build_registry(
        settings_of(CPO_MONGO_URL=url, CPO_ENCRYPTION_KEY="k" * 40, REGISTRY_SECRET_KEY="r" * 40)
    )


@pytest.mark.parametrize("build", [central, registry])
def test_a_later_store_is_left_alone(
    build: Callable[[str, Database], FastAPI],
    fresh_url: str,
    loop: Loop,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def connect() -> Database:
        db = Database.connect(fresh_url)
        await schema_version.begin_at(db, LATER)
        return db

    db = loop.run(connect())
    said = f"the store is of a later version (schema {LATER}, this software knows {LATER - 1})"
    with caplog.at_level(logging.INFO), served(build(fresh_url, db), loop) as base:
        deadline = time.monotonic() + WITHIN_S
        while said not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert httpx.get(f"{base}/readyz").status_code == 503

    async def collections() -> list[str]:
        other = Database.connect(fresh_url)
        try:
            return await other.client[other.name].list_collection_names()
        finally:
            other.close()

    assert loop.run(collections()) == ["schema"]
    [line] = [record for record in caplog.records if said in record.getMessage()]
    assert (line.levelname, line.exc_info) == ("ERROR", None)
    db.close()
