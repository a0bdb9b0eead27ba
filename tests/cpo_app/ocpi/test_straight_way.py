"""What goes straight to its route, and what is left to the application."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.testclient import TestClient
from py_ocpi.core.dependencies import get_crud
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from cpo_app.ocpi.server.direct_route import DirectRoute
from cpo_app.ocpi.server.straight_way import StraightWay
from tests.cpo_app.ocpi.conftest import Face

router = APIRouter(prefix="/things", route_class=DirectRoute)


@router.get("")
async def get_things(request: Request) -> Response:
    return PlainTextResponse("all")


@router.get("/{thing_id}")
async def get_thing(request: Request, thing_id: str, crud: object = Depends(get_crud)) -> Response:
    return PlainTextResponse(f"{thing_id} of {crud}")


@router.get("/{thing_id}/counted")
async def count_thing(request: Request, thing_id: str, number: int) -> Response:
    return PlainTextResponse(f"{number + 1} {thing_id}")


class Town:
    """An application, and the paths that were asked of it the long way."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.app.include_router(router)
        self.app.dependency_overrides[get_crud] = lambda: "the Crud"
        self.long_way: list[str] = []
        self._straight = StraightWay(self._longer, routes=self.app.routes)
        self.peer = TestClient(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._straight({**scope, "app": self.app}, receive, send)

    async def _longer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.long_way.append(scope["path"])
        await self.app(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "text"), [("/things", "all"), ("/things/Ab-1", "Ab-1 of the Crud")]
)
def test_a_direct_route_is_called_straight(path: str, text: str) -> None:
    town = Town()
    assert town.peer.get(path).text == text
    assert town.long_way == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/things/x/counted?number=4", 200),
        ("GET", "/things/x/y/z", 404),
        ("GET", "/thingsome", 404),
        ("GET", "/", 404),
        ("DELETE", "/things/x", 405),
    ],
)
def test_everything_else_goes_on(method: str, path: str, status: int) -> None:
    town = Town()
    assert town.peer.request(method, path).status_code == status
    assert town.long_way == [path.partition("?")[0]]


def test_what_is_raised_there_is_an_envelope_all_the_same(
    face: Face,
) -> None:
    peer = face.connected("DE*TNM")
    refused = peer.get("locations?limit=none")
    assert refused.json()["status_code"] == 2001
    unknown = peer.get("locations/none", headers={"X-Request-ID": "r-1"})
    assert unknown.json()["status_code"] == 2003
    assert unknown.headers["x-request-id"] == "r-1"
    assert "data" not in unknown.json()
