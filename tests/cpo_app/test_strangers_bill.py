"""The stranger's bill: what a request without a token may cost, on every route of every port.

Time is the processor time of the thread that the server's loop runs in, so that a busy machine
changes nothing; memory is what Python has allocated at its highest; lines are log records.
"""

from __future__ import annotations

import gc
import logging
import socket
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from cpo_app import logs
from cpo_app.front_door.serving import FrontDoor
from db_interface.database import Database
from tests.conftest import Loop
from tests.cpo_app.doors import Doors, engine_door
from tests.serving import running

MAX_LOOP_S = 0.05
MAX_BYTES = 1_000_000
MAX_LINES = 1
WITH_BODY = ("POST", "PUT", "PATCH")

MANY_LISTS = b'{"cp_id":"CP-001","boot_id":"b","messages":[' + b"[]," * 299_000 + b"[]]}"
DEEP = b"[" * 450_000 + b"]" * 450_000
SMALLER = MANY_LISTS[:32_000].rstrip(b",") + b"]}"
SMALL_AND_DEEP = b"[" * 16_000 + b"]" * 16_000
REGISTRATION = b'{"metadata":[' + b"[]," * 10_900 + b"[]]}"
JSON = "content-type: application/json"


@dataclass(frozen=True)
class Attempt:
    """What a stranger adds to a request line, and the body that he sends or begins to send."""

    name: str
    headers: tuple[str, ...] = ()
    body: bytes = b""
    query: str = ""


ATTEMPTS = (
    Attempt("nothing"),
    Attempt("many empty lists", (JSON,), MANY_LISTS),
    Attempt("deep nesting", (JSON,), DEEP),
    Attempt("as many lists as may be read without a token", (JSON,), SMALLER),
    Attempt("as many lists as may be read of a registration", (JSON,), REGISTRATION),
    Attempt("as deep as may be read", (JSON,), SMALL_AND_DEEP),
    Attempt("an unknown OCPI token", (JSON, "authorization: Token " + "QUJD" * 100), MANY_LISTS),
    Attempt("a forged JWT", (JSON, "authorization: Bearer " + "a" * 6000 + ".b.c"), MANY_LISTS),
    Attempt("a wrong password", (JSON, "authorization: Basic " + "YTpi" * 1000), MANY_LISTS),
    Attempt(
        "keys of others",
        (JSON, "x-registry-api-key: " + "k" * 4000, "x-existing-credentials: " + "0" * 4000),
        MANY_LISTS,
    ),
    Attempt("many headers", tuple(f"x-{number}: {'a' * 20}" for number in range(400))),
    Attempt("many parameters", query="?" + "&".join(f"limit={n}&q=%00" for n in range(700))),
)


class Port:
    """An app behind the front door, on a port, as strangers meet it."""

    def __init__(self, base: str, app: Starlette, loop: Loop, below: str) -> None:
        host, port = base.removeprefix("http://").split(":")
        self._at = (host, int(port))
        self.app, self.loop, self.below = app, loop, below

    def requests(self) -> Iterator[tuple[str, str]]:
        """Every method of every path, with ids that do not exist."""
        room = getattr(self.app.state, "open_data", None)
        found = sorted({*_routes(self.app.routes), *_routes(room.routes if room else [])})
        yield from ((method, path) for method, path in found if path.startswith(self.below))

    def send(self, method: str, path: str, attempt: Attempt) -> bytes:
        """The answer's status line; everything is closed when this returns."""
        head = [
            f"{method} {path}{attempt.query} HTTP/1.1",
            "host: 127.0.0.1",
            "connection: close",
            *attempt.headers,
        ]
        if attempt.body:
            head.append(f"content-length: {len(attempt.body)}")
        with socket.create_connection(self._at, timeout=20) as connection:
            try:
                connection.sendall("\r\n".join([*head, "", ""]).encode())
                connection.sendall(attempt.body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # he was refused before he had said everything
            answer = b""
            while True:
                try:
                    piece = connection.recv(65536)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                answer = answer or piece
        return answer.partition(b"\r\n")[0]

    def loop_s(self) -> float:
        """Processor time that the loop's thread has taken so far."""

        async def taken() -> float:
            return time.thread_time()

        return self.loop.run(taken())


def _routes(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            yield from _routes(route.routes, prefix + route.path)
        elif isinstance(route, Mount):
            yield "GET", f"{prefix}{route.path}/swagger-ui.css"
        elif isinstance(route, Route):
            path = prefix + route.path
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", "NOBODY").replace(f"{{{name}:path}}", "NOBODY")
            for method in route.methods or ():
                yield method, path


class _Kept(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.name}: {record.getMessage()[:200]}")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What would be written, were none left out because it repeats."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    kept: list[str] = []
    logs.set_up("INFO")
    root.handlers[:] = [_Kept(kept)]
    yield kept
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(params=["8000", "8000 open", "8000 open data", "8080", "8080 open", "8001"])
def port(
    request: pytest.FixtureRequest, db: Database, loop: Loop, tmp_path: Path
) -> Iterator[Port]:
    """Each with its doors as closed, and as open, as settings make them; where settings open some
    paths alone, those. Nobody is held up for failures: each guess costs what the first costs."""
    doors = Doors.on(
        db,
        CPO_MAX_FAILURES_PER_MINUTE=0,
        CPO_OPEN_DATA="open data" in request.param,
        CPO_OPEN_DATA_REQUESTS_PER_MINUTE=0,
        **(
            {"REGISTRY_ADMIN_API_KEY": "", "CENTRAL_REQUIRE_CP_TOKEN": False}
            if request.param.endswith("open")
            else {}
        ),
    )
    app: ASGIApp = {
        "8000": doors.main,
        "8080": doors.registry,
        "8001": engine_door(tmp_path),
    }[request.param.partition(" ")[0]]
    assert isinstance(app, Starlette)
    config = uvicorn.Config(app, lifespan="off", **FrontDoor().options())
    gc.collect()
    gc.freeze()  # what the tests before have left is no part of the bill
    with running(config, loop) as base:
        below = {"8000 open": "/cp", "8000 open data": "/open-data/ocpi/2.2.1"}
        yield Port(base, app, loop, below.get(request.param, "/"))
    gc.unfreeze()


def test_no_request_without_a_token_costs_more(port: Port, lines: list[str]) -> None:
    dear: list[str] = []
    assert len(list(port.requests())) >= 5
    for method, path in port.requests():
        port.send(method, path, ATTEMPTS[0])  # what is made once (templates, caches) is made
        for attempt in ATTEMPTS:
            for _ in range(3):  # what happened to fall into it (the garbage collector) is not its
                lines.clear()
                before = port.loop_s()
                status = port.send(method, path, attempt)
                took_s = port.loop_s() - before
                assert status, (method, path, attempt.name)
                if took_s <= MAX_LOOP_S and len(lines) <= MAX_LINES:
                    break
            else:
                dear.append(f"{method} {path}: {attempt.name}: {took_s:.3f} s, lines: {lines}")
    assert dear == []


def test_no_request_without_a_token_takes_more_memory(port: Port) -> None:
    greedy: list[str] = []
    for method, path in port.requests():
        port.send(method, path, ATTEMPTS[0])
    gc.collect()
    tracemalloc.start()
    try:
        for method, path in port.requests():
            for attempt in ATTEMPTS if method in WITH_BODY else ATTEMPTS[:2]:
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                port.send(method, path, attempt)
                grew = tracemalloc.get_traced_memory()[1] - before
                if grew > MAX_BYTES:
                    greedy.append(f"{method} {path}: {attempt.name}: {grew} bytes")
    finally:
        tracemalloc.stop()
    assert greedy == []
