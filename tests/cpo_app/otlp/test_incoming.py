"""A span for each request: in the caller's trace, and without what a caller wrote."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Response
from opentelemetry.trace import StatusCode
from starlette.testclient import TestClient

from cpo_app.otlp.incoming import Traced
from domain.trace import bound
from tests.cpo_app.otlp.seen_spans import (
    PARENT_ID,
    TRACE_ID,
    TRACEPARENT,
    SeenSpans,
    parent_of,
    trace_of,
)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    inner = APIRouter()

    @inner.get("/cards/{uid}")
    async def card(uid: str) -> Response:
        return Response()

    @app.get("/broken")
    async def broken() -> Response:
        return Response(status_code=503)

    @app.get("/healthz")
    async def healthz() -> Response:
        return Response()

    async def ocpi(scope: Any, receive: Any, send: Any) -> None:
        with bound(peer_id="DE*TNM", correlation_id="ticket-7"):
            await Response()(dict(scope), receive, send)

    app.include_router(inner, prefix="/inner")
    app.mount("/ocpi", ocpi)
    app.add_middleware(Traced, routes=app.routes)
    return TestClient(app, raise_server_exceptions=False)


def test_it_is_in_the_trace_of_its_caller(client: TestClient, seen: SeenSpans) -> None:
    client.get("/inner/cards/04A1B2?q=secret", headers={"traceparent": TRACEPARENT})
    (span,) = seen.ended
    assert (trace_of(span), parent_of(span)) == (TRACE_ID, PARENT_ID)
    assert span.name == "GET /inner/cards/{uid}"
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/inner/cards/{uid}",
        "http.response.status_code": 200,
    }


def test_it_says_who_asks_and_nothing_of_a_path_that_is_not_declared(
    client: TestClient, seen: SeenSpans
) -> None:
    client.get("/ocpi/cpo/2.2.1/tokens/DE/TNM/04A1B2")
    (span,) = seen.ended
    attributes = dict(span.attributes or {})
    assert span.name == "GET"
    assert attributes["cpo.peer_id"] == "DE*TNM"
    assert attributes["cpo.correlation_id"] == "ticket-7"
    assert "04A1B2" not in str(attributes)


def test_a_path_of_a_strangers_is_in_no_name(client: TestClient, seen: SeenSpans) -> None:
    client.get("/files/of-a-secret")
    client.request("WEIRD", "/broken")
    assert [span.name for span in seen.ended] == ["GET", "_OTHER /broken"]


def test_an_answer_of_ours_that_failed_is_marked(client: TestClient, seen: SeenSpans) -> None:
    client.get("/broken")
    status = seen.named("GET /broken").status
    assert (status.status_code, status.description) == (StatusCode.ERROR, "HTTP 503")


def test_who_watches_over_us_makes_no_traces(client: TestClient, seen: SeenSpans) -> None:
    client.get("/healthz")
    assert seen.ended == ()
