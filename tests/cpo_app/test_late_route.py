"""Routes that are read when the first request comes for them: each of the app's can be, and none
is before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount
from starlette.testclient import TestClient

from cpo_app.late_route import LateRoute
from db_interface.database import Database
from tests.cpo_app.doors import Doors


def late_of(routes: Iterable[BaseRoute]) -> Iterator[LateRoute]:
    for route in routes:
        if isinstance(route, Mount):
            yield from late_of(route.routes)
        elif isinstance(route, LateRoute):
            yield route


def test_every_route_of_the_app_can_be_read_and_none_was(db: Database) -> None:
    app = Doors.on(db).main
    assert isinstance(app, FastAPI)
    routes = [*late_of(app.routes)]
    assert len(routes) > 200
    assert [route.path for route in routes if "dependant" in vars(route)] == []
    for route in routes:
        known = {name: vars(route)[name] for name in ("path", "path_format", "methods", "name")}
        assert route.dependant.call is route.endpoint
        assert {name: vars(route)[name] for name in known} == known


def test_it_answers_as_the_same_route_of_fastapi() -> None:
    answers = []
    for kind in (APIRoute, LateRoute):
        router = APIRouter(prefix="/things", route_class=kind, tags=["Things"])

        @router.get("/{number}", summary="One", responses={404: {"description": "None such"}})
        async def one(number: int, more: bool = False) -> dict[str, object]:
            """What is told of it."""
            return {"number": number, "more": more}

        @router.api_route("/{number}", methods=["put"], name="all", status_code=202)
        async def other(number: int) -> None: ...

        app = FastAPI()
        app.routes.extend(router.routes)
        http = TestClient(app)
        asked = [
            ("GET", "/things/7?more=1"),
            ("GET", "/things/seven"),
            ("PUT", "/things/7"),
            ("DELETE", "/things/7"),
            ("GET", "/openapi.json"),
        ]
        told = [http.request(*each) for each in asked]
        answers.append([(one.status_code, one.json()) for one in told])
        assert app.url_path_for("all", number="8") == "/things/8"
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0]] == [200, 422, 202, 405, 200]


def test_what_a_route_does_not_have_it_does_not_have() -> None:
    async def endpoint() -> None: ...

    route = LateRoute("/", endpoint)
    for _ in range(2):
        with pytest.raises(AttributeError, match="'LateRoute' has no attribute 'nothing'"):
            _ = route.nothing
