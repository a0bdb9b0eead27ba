"""What a connection may cost, on the wire: heads, bodies, dawdlers, and how many there may be."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cpo_app.addresses.networks import Networks
from cpo_app.front_door import http_protocol
from cpo_app.front_door.kept_connections import keep_open, wait_for_body
from cpo_app.front_door.serving import FrontDoor
from tests.conftest import Loop
from tests.serving import running

Served = Callable[..., str]


async def echo(request: Request) -> Response:
    if request.headers.get("authorization") != "right":
        return PlainTextResponse("who are you?", 401)
    if "x-keep" in request.headers:
        keep_open(request.scope)
    if "x-wait" in request.headers:
        wait_for_body(request.scope)
    return PlainTextResponse(
        f"{request.client.host if request.client else ''} " + str(len(await request.body()))
    )


@pytest.fixture
def served(loop: Loop) -> Iterator[Served]:
    """Serves an app behind a front door; gives its base URL."""
    stops = []

    def serve(door: FrontDoor | None = None) -> str:
        app = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, **(door or FrontDoor()).options())
        context = running(config, loop)
        stops.append(context)
        return context.__enter__()

    yield serve
    for context in stops:
        context.__exit__(None, None, None)


def connect(base: str) -> socket.socket:
    host, port = base.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def answer(connection: socket.socket) -> bytes:
    """Everything until the server hangs up."""
    got = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return got
        if not piece:
            return got
        got += piece


def status_of(raw: bytes) -> int:
    return int(raw.split(b" ", 2)[1])


HEAD = b"POST / HTTP/1.1\r\nhost: x\r\nauthorization: right\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"x-many: a\r\n" * 2000 + b"\r\n",
    ],
    ids=["url", "an endless header", "many headers"],
)
def test_a_head_beyond_16_kb_is_refused(served: Served, head: bytes) -> None:
    connection = connect(served())
    for first in range(0, len(head), 1000):  # in pieces, as a network brings them
        try:
            connection.sendall(head[first : first + 1000])
        except (BrokenPipeError, ConnectionResetError):
            break
    raw = answer(connection)
    assert status_of(raw) == 431
    assert b'"detail":"the request\'s line and headers are larger than 16384 bytes"' in raw


def test_a_head_of_16_kb_is_not(served: Served) -> None:
    headers = {"authorization": "right", "x-long": "a" * 16_000}
    assert httpx.get(served(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nx-trailer: " + b"a" * 60_000,
        HEAD + b"transfer-encoding: chunked\r\n\r\n1;" + b"a" * 60_000,
    ],
    ids=["trailers", "chunk extensions"],
)
def test_what_frames_a_body_is_bounded_too(served: Served, sent: bytes) -> None:
    connection = connect(served())
    for first in range(0, len(sent), 1000):
        try:
            connection.sendall(sent[first : first + 1000])
        except (BrokenPipeError, ConnectionResetError):
            break
    raw = answer(connection)
    assert raw == b"" or status_of(raw) in (400, 431)


def test_a_body_in_tiny_chunks_is_a_body(served: Served) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b"a" for _ in range(5000))

    answered = httpx.post(served(), headers={"authorization": "right"}, content=chunks())
    assert (answered.status_code, answered.text) == (200, "127.0.0.1 5000")


def test_what_is_no_http_is_400(served: Served) -> None:
    connection = connect(served())
    connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
    assert status_of(answer(connection)) == 400


def test_an_upgrade_is_answered_as_plain_http(served: Served) -> None:
    headers = {"authorization": "right", "connection": "upgrade", "upgrade": "websocket"}
    assert httpx.get(served(), headers=headers).status_code == 200


def test_dawdlers_are_sent_away(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN_S", 0.2)
    monkeypatch.setattr(http_protocol, "BODY_WITHIN_S", 0.2)
    base = served()
    silent, half_a_head, half_a_body = (connect(base) for _ in range(3))
    half_a_head.sendall(b"GET / HTTP/1.1\r\nhost:")
    half_a_body.sendall(HEAD + b"content-length: 10\r\n\r\n1")

    assert answer(silent) == b""
    assert status_of(answer(half_a_head)) == 408
    late = answer(half_a_body)
    assert status_of(late) == 408
    assert late.count(b"HTTP/1.1") == 1


def test_who_is_known_may_take_his_time_with_a_long_body(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "BODY_WITHIN_S", 0.2)
    base = served()
    known, stranger = connect(base), connect(base)
    known.sendall(HEAD + b"x-wait: yes\r\nconnection: close\r\ncontent-length: 2\r\n\r\na")
    stranger.sendall(HEAD + b"content-length: 2\r\n\r\na")
    assert status_of(answer(stranger)) == 408
    known.sendall(b"b")
    assert answer(known).endswith(b"127.0.0.1 2")


def test_a_refused_body_is_not_read(served: Served) -> None:
    connection = connect(served())
    connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n1")
    assert status_of(answer(connection)) == 401


def test_a_connection_is_kept_for_the_next_request(served: Served) -> None:
    with httpx.Client(base_url=served(), headers={"authorization": "right"}) as client:
        connection = connect(str(client.base_url).rstrip("/"))
        connection.sendall((HEAD + b"content-length: 2\r\n\r\nab") * 3)
        got = b""
        while got.count(b"127.0.0.1 2") < 3:
            got += connection.recv(65536)


def test_too_many_requests_in_one_breath_end_the_connection(served: Served) -> None:
    connection = connect(served())
    connection.sendall((HEAD + b"content-length: 0\r\n\r\n") * 500)
    assert answer(connection).count(b"200 OK") <= http_protocol.MAX_PIPELINED + 1


def test_idle_connections_make_room_for_others(served: Served) -> None:
    base = served(FrontDoor(max_connections=16, max_per_address=16))
    idle = [connect(base) for _ in range(20)]
    assert httpx.get(base, headers={"authorization": "right"}).status_code == 200
    # The oldest had to go, the youngest are still there.
    assert answer(idle[0]) == b""
    idle[-1].sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert status_of(answer(idle[-1])) == 401


def test_the_client_is_who_connects_unless_a_trusted_proxy_says_otherwise(served: Served) -> None:
    headers = {"authorization": "right", "x-forwarded-for": "203.0.113.9"}
    assert httpx.post(served(), headers=headers).text == "127.0.0.1 0"
    trusting = served(FrontDoor(proxies=Networks.of("127.0.0.0/8")))
    assert httpx.post(trusting, headers=headers).text == "203.0.113.9 0"


def test_who_is_known_is_kept_when_strangers_connections_close(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN_S", 0.2)
    base = served()
    known, stranger, forgotten = connect(base), connect(base), connect(base)
    asked = [
        (known, HEAD + b"x-keep: yes\r\n", b"127.0.0.1 0"),
        (forgotten, HEAD + b"x-keep: yes\r\n", b"127.0.0.1 0"),
        (forgotten, HEAD, b"127.0.0.1 0"),  # the last request says nothing of who sends it
        (stranger, b"POST / HTTP/1.1\r\nhost: x\r\nx-keep: yes\r\n", b"who are you?"),
    ]
    for connection, head, expected in asked:
        connection.sendall(head + b"content-length: 0\r\n\r\n")
        got = b""
        while not got.endswith(expected):
            got += connection.recv(65536)
    assert answer(stranger) == b""
    assert answer(forgotten) == b""
    known.sendall(HEAD + b"content-length: 0\r\nconnection: close\r\n\r\n")
    assert status_of(answer(known)) == 200
