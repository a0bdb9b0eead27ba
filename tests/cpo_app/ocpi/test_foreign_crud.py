"""A Crud written for the library runs under our face: models, dicts, datetimes and all."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from py_ocpi.core.crud import Crud
from py_ocpi.modules.locations.v_2_2_1.schemas import Location

from auth.credentials_header import encoded
from cpo_app.ocpi.server.app import build_ocpi_app
from tests.conftest import Loop
from tests.cpo_app.ocpi.conftest import Face
from tests.domain.schemas.samples import connector, evse, location
from tests.peers.subjects import data_of
from tests.serving import served

ROWS = [
    {**location(id=f"L{n}"), "last_updated": datetime(2024, 5, 1, tzinfo=timezone.utc)}
    for n in range(3)
]


class LibraryCrud(Crud):
    """As the library's README shows one: class methods over whatever there is."""

    @classmethod
    async def list(cls, module: Any, role: Any, filters: Any, *_: Any, **named: Any) -> Any:
        start, end = filters["offset"], filters["offset"] + filters["limit"]
        return ROWS[start:end], len(ROWS), end >= len(ROWS)

    @classmethod
    async def get(cls, module: Any, role: Any, id: Any, *_: Any, **named: Any) -> Any:
        return Location(**location(evses=[evse(connectors=[connector()])])) if id == "M" else None

    @classmethod
    async def create(cls, module: Any, role: Any, data: Any, *_: Any, **named: Any) -> Any:
        return data

    @classmethod
    async def update(cls, module: Any, role: Any, data: Any, id: Any, *_: Any, **named: Any) -> Any:
        return data

    @classmethod
    async def delete(cls, module: Any, role: Any, id: Any, *_: Any, **named: Any) -> None:
        return None

    @classmethod
    async def do(cls, module: Any, role: Any, action: Any, *_: Any, **named: Any) -> Any:
        return {"result": "ACCEPTED", "timeout": 30}


@pytest.fixture
def app(face: Face) -> FastAPI:
    return build_ocpi_app(face.settings, LibraryCrud, face.authenticator)


def test_its_lists_and_objects_leave_in_the_texts_form(
    face: Face, app: FastAPI, loop: Loop
) -> None:
    headers = {"Authorization": encoded(face.connected("DE*TNM").token)}
    with served(app, loop) as base_url:
        url = f"{base_url}/ocpi/cpo/2.2.1/locations"
        page = httpx.get(url, params={"limit": 2}, headers=headers)
        assert [row["id"] for row in data_of(page)] == ["L0", "L1"]
        assert {row["last_updated"] for row in data_of(page)} == {"2024-05-01T00:00:00Z"}
        assert page.headers["x-total-count"] == "3"
        assert page.headers["link"].endswith('?offset=2&limit=2>; rel="next"')
        one = httpx.get(f"{url}/M", headers=headers)
        assert data_of(one)["city"] == "Gent"
        assert "null" not in one.text
        assert data_of(httpx.get(f"{url}/M/evse-1/1", headers=headers))["max_voltage"] == 230
        assert httpx.get(f"{url}/NOPE", headers=headers).status_code == 404
