"""HEAD has the status and the headers of GET, and no body."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from cpo_app.front_door.head_requests import HeadAsGet


async def _shown(request: Request) -> Response:
    return Response(request.method, headers={"etag": "x"})


def test_head_is_get_without_its_body() -> None:
    app = HeadAsGet(Starlette(routes=[Route("/", _shown, methods=["GET", "POST"])]))
    client = TestClient(app)
    head, got, posted = client.head("/"), client.get("/"), client.post("/")
    assert (head.status_code, head.content, head.headers) == (200, b"", got.headers)
    assert (got.text, posted.text) == ("GET", "POST")
