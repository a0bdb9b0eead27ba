"""The client against peers that behave, and against peers that do not, on real sockets."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import time
import uuid
import zlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from cpo_app.ocpi.peer_client.client import PeerAnswer, PeerClient, PeerUnusable, RoutingHeaders
from cpo_app.ocpi.peer_client.peer_details import PeerEndpoint, PeerVersion
from cpo_app.ocpi.peer_client.peer_pages import ResumeAt
from domain.exchanges.exchange import Subject
from tests.counting import growth_of
from tests.cpo_app.ocpi.raw_peer import OK, Handler, RawPeer, Received, eventually, http

TOKEN = "tok-9f3a-very-secret"
ENCODED = base64.b64encode(TOKEN.encode()).decode()


def envelope(data: Any, status_code: int = 1000, **more: Any) -> bytes:
    body = {"data": data, "status_code": status_code, "timestamp": "2024-01-01T00:00:00Z"}
    return json.dumps(body | more).encode()


def with_peer(
    answer: bytes | Handler,
    story: Callable[[RawPeer, PeerClient], Awaitable[Any]],
    **settings: Any,
) -> Any:
    """Runs a story with a peer on loopback and a client that may talk to it."""

    async def run() -> Any:
        async with RawPeer(answer) as peer, PeerClient(allow_private=True, **settings) as client:
            return await story(peer, client)

    return asyncio.run(run())


def ask(
    answer: bytes | Handler,
    method: str = "GET",
    settings: dict[str, Any] | None = None,
    **arguments: Any,
) -> tuple[PeerAnswer, list[Received]]:
    """One request to a peer with this answer: what came back, and what the peer got."""

    async def story(peer: RawPeer, client: PeerClient) -> tuple[PeerAnswer, list[Received]]:
        got = await client.request(method, peer.url(), token=TOKEN, **arguments)
        return got, peer.requests

    return with_peer(answer, story, **(settings or {}))


def failure(answer: bytes | Handler, method: str = "POST", **arguments: Any) -> PeerUnusable:
    """The PeerUnusable that a request ends in; the secret is nowhere in it."""
    with pytest.raises(PeerUnusable) as caught:
        ask(answer, method, **arguments)
    shown = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert TOKEN not in shown and ENCODED not in shown
    return caught.value


def unusable(answer: PeerAnswer) -> PeerUnusable:
    with pytest.raises(PeerUnusable) as caught:
        answer.envelope()
    return caught.value


# --- what is sent -------------------------------------------------------------------------


def test_a_request_carries_what_ocpi_asks_for() -> None:
    routing = RoutingHeaders("NL", "CPO", "DE", "MSP")
    answer, (got,) = ask(
        http(body=envelope({"id": "1"})),
        "PUT",
        body=b'{"a":1}',
        routing=routing,
        correlation_id="corr-1",
    )
    assert (got.method, got.target, got.body) == ("PUT", "/x", b'{"a":1}')
    request_id = got.headers.pop("x-request-id")
    assert str(uuid.UUID(request_id)) == request_id
    assert got.headers.pop("host").startswith("127.0.0.1:")
    assert got.headers == {
        "authorization": f"Token {ENCODED}",
        "x-correlation-id": "corr-1",
        "ocpi-from-country-code": "NL",
        "ocpi-from-party-id": "CPO",
        "ocpi-to-country-code": "DE",
        "ocpi-to-party-id": "MSP",
        "user-agent": "ocpi-cpo-backend",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "content-type": "application/json",
        "content-length": "7",
    }
    assert answer.http_status == 200
    assert answer.data() == {"id": "1"}


def test_without_body_and_routing_their_headers_are_absent() -> None:
    _, (got,) = ask(http())
    assert not [n for n in got.headers if n.startswith("ocpi-") or n.startswith("content-")]
    assert uuid.UUID(got.headers["x-correlation-id"])


def test_an_open_routing_request_names_only_the_sender() -> None:
    _, (got,) = ask(http(), routing=RoutingHeaders("NL", "CPO"))
    assert {n for n in got.headers if n.startswith("ocpi-")} == {
        "ocpi-from-country-code",
        "ocpi-from-party-id",
    }


def test_the_raw_token_quirk_sends_the_token_as_it_is() -> None:
    _, (got,) = ask(http(), raw_token=True)
    assert got.headers["authorization"] == f"Token {TOKEN}"


def test_every_request_has_an_id_of_its_own() -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        for _ in range(3):
            await client.request("GET", peer.url(), token=TOKEN)
        ids = {r.headers["x-request-id"] for r in peer.requests}
        assert len(ids) == 3

    with_peer(http(), story)


@pytest.mark.parametrize(
    "arguments",
    [
        {"correlation_id": "a\r\nX-Evil: 1"},
        {"correlation_id": "é"},
        {"routing": RoutingHeaders("NL", "C\nO")},
    ],
)
def test_what_would_break_the_headers_is_not_sent(arguments: dict[str, Any]) -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(ValueError, match="header"):
            await client.request("GET", peer.url(), token=TOKEN, **arguments)
        assert peer.requests == []

    with_peer(http(), story)


def test_a_raw_token_that_would_break_the_header_is_not_shown_in_the_error() -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(ValueError, match="Authorization") as caught:
            await client.request("GET", peer.url(), token="sec\nret", raw_token=True)
        assert "sec" not in str(caught.value)

    with_peer(http(), story)


# --- connections ----------------------------------------------------------------------------


def test_connections_are_kept_alive_and_shared() -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        for _ in range(20):
            await client.request("PUT", peer.url(), token=TOKEN, body=b"{}")
        assert peer.connections == 1
        assert peer.open_connections == 1

    with_peer(http(), story)


def test_one_peer_never_has_more_connections_than_its_share() -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        await asyncio.gather(*(client.request("GET", peer.url(), token=TOKEN) for _ in range(50)))
        assert len(peer.requests) == 50
        assert peer.connections <= 3

    with_peer(http(), story, per_place=3)


def test_a_hanging_peer_with_all_its_connections_taken_holds_up_no_other() -> None:
    async def hang(received: Received, writer: Any) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        async with (
            RawPeer(hang) as hanging,
            RawPeer(http()) as healthy,
            PeerClient(allow_private=True, per_place=2) as client,
        ):
            stuck = [
                asyncio.ensure_future(client.request("GET", hanging.url(), token=TOKEN))
                for _ in range(6)
            ]
            await eventually(lambda: len(hanging.requests) == 2)
            answer = await client.request("GET", healthy.url(), token=TOKEN, timeout_s=5.0)
            assert answer.http_status == 200
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            # Cancelled requests give everything back: the same place works again at once.
            hanging.answer = http()
            again = await client.request("GET", hanging.url(), token=TOKEN, timeout_s=5.0)
            assert again.http_status == 200

    asyncio.run(run())


def test_waiting_for_a_free_connection_ends_unsent() -> None:
    async def hang(received: Received, writer: Any) -> None:
        await asyncio.Event().wait()

    async def story(peer: RawPeer, client: PeerClient) -> None:
        first = asyncio.ensure_future(client.request("POST", peer.url(), token=TOKEN))
        await eventually(lambda: peer.requests)
        with pytest.raises(PeerUnusable) as caught:
            await client.request("POST", peer.url(), token=TOKEN, timeout_s=0.05)
        assert (caught.value.kind, caught.value.sent) == ("timeout", False)
        first.cancel()

    with_peer(hang, story, per_place=1)


def test_a_read_on_a_dead_kept_alive_connection_is_repeated_a_write_is_not() -> None:
    async def one_answer_per_connection(received: Received, writer: Any) -> None:
        seen[received.connection] = seen.get(received.connection, 0) + 1
        if seen[received.connection] > 1:
            writer.transport.abort()
        else:
            writer.write(http())

    async def story(peer: RawPeer, client: PeerClient) -> None:
        await client.request("GET", peer.url(), token=TOKEN)
        answer = await client.request("GET", peer.url(), token=TOKEN)
        assert (answer.http_status, peer.connections) == (200, 2)
        with pytest.raises(PeerUnusable) as caught:
            await client.request("POST", peer.url(), token=TOKEN, body=b"{}")
        assert (caught.value.kind, caught.value.sent) == ("broken_answer", None)
        assert len([r for r in peer.requests if r.method == "POST"]) == 1

    seen: dict[int, int] = {}
    with_peer(one_answer_per_connection, story)


def test_a_connection_closed_by_the_peer_while_idle_is_not_used_again() -> None:
    async def answer_and_close(received: Received, writer: Any) -> None:
        writer.write(http())
        await writer.drain()
        writer.close()

    async def story(peer: RawPeer, client: PeerClient) -> None:
        for _ in range(5):
            answer = await client.request("POST", peer.url(), token=TOKEN, body=b"{}")
            assert answer.http_status == 200
            await eventually(lambda: not peer.open_connections)

    with_peer(answer_and_close, story)


def test_closing_the_client_closes_its_connections() -> None:
    async def run() -> None:
        async with RawPeer() as peer:
            client = PeerClient(allow_private=True)
            await client.request("GET", peer.url(), token=TOKEN)
            assert peer.open_connections == 1
            await client.aclose()
            await eventually(lambda: not peer.open_connections)

    asyncio.run(run())


def test_no_cookie_comes_back() -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        for _ in range(2):
            await client.request("GET", peer.url(), token=TOKEN)
        assert "cookie" not in peer.requests[1].headers

    with_peer(http(set_cookie="session=1"), story)


# --- peers that do not behave -----------------------------------------------------------------


def test_an_unreachable_peer() -> None:
    async def run() -> PeerUnusable:
        async with RawPeer() as peer:
            url = peer.url()
        async with PeerClient(allow_private=True) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("POST", url, token=TOKEN)
            return caught.value

    error = asyncio.run(run())
    assert (error.kind, error.sent, error.reason) == (
        "unreachable",
        False,
        "the peer cannot be reached",
    )


def test_a_name_that_does_not_resolve() -> None:
    async def nothing(host: str) -> Sequence[str]:
        raise OSError("no such name")

    async def run() -> PeerUnusable:
        async with PeerClient(resolve=nothing) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("POST", "https://peer.example/", token=TOKEN)
            return caught.value

    error = asyncio.run(run())
    assert (error.kind, error.sent) == ("unreachable", False)


@pytest.mark.parametrize(
    "url", ["http://peer.example/", "https://10.0.0.1/", "https://u:p@peer.example/", "nonsense"]
)
def test_a_refused_url_is_never_asked_for(url: str) -> None:
    async def unexpected(host: str) -> Sequence[str]:
        raise AssertionError("resolved")

    async def run() -> PeerUnusable:
        async with PeerClient(resolve=unexpected) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("GET", url, token=TOKEN)
            return caught.value

    error = asyncio.run(run())
    assert (error.kind, error.sent) == ("refused_url", False)


def test_a_name_that_turns_private_is_refused_before_anything_is_sent() -> None:
    async def rebinds(host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async def run() -> None:
        async with RawPeer() as peer, PeerClient(resolve=rebinds) as client:
            with pytest.raises(PeerUnusable) as caught:
                await client.request("GET", f"https://peer.example:{peer.port}/", token=TOKEN)
            assert (caught.value.kind, caught.value.sent) == ("refused_url", False)
            assert caught.value.reason == "the URL's host is a loopback address"
            assert peer.connections == 0

    asyncio.run(run())


def test_a_peer_that_hangs() -> None:
    async def hang(received: Received, writer: Any) -> None:
        await asyncio.Event().wait()

    started = time.monotonic()
    error = failure(hang, timeout_s=0.1)
    assert (error.kind, error.sent) == ("timeout", None)
    assert time.monotonic() - started < 5
    error = failure(hang, settings={"read_timeout_s": 0.1})
    assert (error.kind, error.sent) == ("timeout", None)


@pytest.mark.parametrize("endless", [b"x", b"HTTP/1.1 100 Continue\r\n\r\n" * 50])
@pytest.mark.parametrize("started", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"])
def test_a_peer_that_drips_or_babbles_without_end(endless: bytes, started: bytes) -> None:
    async def drip(received: Received, writer: Any) -> None:
        writer.write(started)
        while True:
            writer.write(b"HTTP/1.1 100 C\r\n\r\n" if endless == b"x" and not started else endless)
            await writer.drain()
            await asyncio.sleep(0.01)  # the peer's pace, not a wait for us

    error = failure(drip, timeout_s=0.3)
    assert error.sent is None
    assert error.kind in ("timeout", "broken_answer", "too_large")
    if not started:
        assert error.kind == "timeout"


def test_a_deadline_ends_the_request_before_its_timeout() -> None:
    async def hang(received: Received, writer: Any) -> None:
        await asyncio.Event().wait()

    error = failure(hang, timeout_s=60.0, deadline=time.monotonic() + 1.5)
    assert (error.kind, error.sent) == ("timeout", None)


def test_a_deadline_in_the_past_sends_nothing() -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(PeerUnusable) as caught:
            await client.request("GET", peer.url(), token=TOKEN, deadline=time.monotonic() - 1)
        assert (caught.value.kind, caught.value.sent) == ("timeout", False)
        assert peer.connections == 0

    with_peer(http(), story)


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n",
        b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"data":',
        b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"data":\r\n',
        b"this is not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: lots\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot hex\r\n",
    ],
)
def test_a_peer_that_breaks_off_or_speaks_no_http(part: bytes, reset: bool) -> None:
    async def half(received: Received, writer: Any) -> None:
        writer.write(part)
        await writer.drain()
        writer.transport.abort() if reset else writer.close()

    error = failure(half, body=b"{}")
    assert (error.kind, error.sent) == ("broken_answer", None)


def test_bytes_after_an_answer_are_not_taken_for_the_next_one() -> None:
    async def one_answer_too_many(received: Received, writer: Any) -> None:
        if received.connection == 1:
            writer.write(http(body=b"x" * 1000) + b"HTTP/1.1 200 OK\r\n\r\nSMUGGLED")
        else:
            writer.write(http(body=envelope("mine")))

    async def story(peer: RawPeer, client: PeerClient) -> None:
        await client.request("GET", peer.url(), token=TOKEN)
        answer = await client.request("GET", peer.url(), token=TOKEN)
        assert answer.data() == "mine"

    with_peer(one_answer_too_many, story)


# --- size -------------------------------------------------------------------------------------

SMALL = {"max_response_bytes": 10_000}


def gz(body: bytes) -> bytes:
    return http(body=gzip.compress(body), content_encoding="gzip")


def test_a_body_at_the_limit_fits_and_one_byte_more_does_not() -> None:
    answer, _ = ask(http(body=b"x" * 10_000), settings=SMALL)
    assert len(answer.body) == 10_000
    answer, _ = ask(gz(b"x" * 10_000), settings=SMALL)
    assert len(answer.body) == 10_000
    for body in (http(body=b"x" * 10_001), gz(b"x" * 10_001)):
        error = failure(body, settings=SMALL)
        assert (error.kind, error.sent) == ("too_large", None)


def test_an_endless_chunked_body_is_cut_off() -> None:
    async def endless(received: Received, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    assert failure(endless, settings=SMALL).kind == "too_large"


def test_a_gzip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    unpacked: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._real = real(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            out = self._real.decompress(data, most)
            unpacked.append(len(out))
            return out

        @property
        def eof(self) -> bool:
            return self._real.eof

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    answer = http(body=bomb, content_encoding="gzip")
    error = failure(answer, settings={"max_response_bytes": 100_000})
    assert error.kind == "too_large"
    assert 0 < sum(unpacked) <= 100_001


def test_compression_that_unfolds_to_nothing_is_limited_too() -> None:
    endless = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 5000  # empty stored blocks

    async def chunked(received: Received, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n")
        writer.write(b"content-encoding: gzip\r\n\r\n%x\r\n" % len(endless) + endless)
        writer.write(b"\r\n0\r\n\r\n")

    assert failure(chunked, settings=SMALL).kind == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_gzip_is_understood(encoding: str) -> None:
    answer, _ = ask(http(body=gzip.compress(OK), content_encoding=encoding))
    assert answer.data() == []


def test_deflate_is_understood() -> None:
    answer, _ = ask(http(body=zlib.compress(OK), content_encoding="deflate"))
    assert answer.data() == []


def test_an_empty_body_need_not_be_gzip() -> None:
    answer, _ = ask(http(status=500, body=b"", content_encoding="gzip"))
    assert answer.body == b""


@pytest.mark.parametrize(
    "answer",
    [
        http(body=b"not gzip", content_encoding="gzip"),
        http(body=gzip.compress(OK * 100)[:-20], content_encoding="gzip"),
        http(content_encoding="br"),
        http(body=gzip.compress(gzip.compress(OK)), content_encoding="gzip, gzip"),
    ],
)
def test_a_broken_or_unknown_compression(answer: bytes) -> None:
    error = failure(answer)
    assert (error.kind, error.sent) == ("broken_answer", None)


def test_headers_without_end_are_cut_off() -> None:
    async def endless(received: Received, writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x-" + b"y" * 1000 + b": z\r\n")
            await writer.drain()

    assert failure(endless).kind == "broken_answer"


# --- redirects --------------------------------------------------------------------------------


def redirect(status: int, location: str) -> bytes:
    return http(status=status, body=b"", location=location)


def redirecting(status: int, location: str) -> Handler:
    """Redirects /x; anything else is answered."""

    async def handler(received: Received, writer: Any) -> None:
        writer.write(redirect(status, location) if received.target == "/x" else http())

    return handler


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_read_follows_a_redirect_in_the_same_place(status: int) -> None:
    answer, got = ask(redirecting(status, "/x/?a=b"))
    assert answer.http_status == 200
    assert [r.target for r in got] == ["/x", "/x/?a=b"]
    assert got[1].headers["authorization"] == f"Token {ENCODED}"
    assert got[0].headers["x-request-id"] != got[1].headers["x-request-id"]
    assert got[0].headers["x-correlation-id"] == got[1].headers["x-correlation-id"]
    assert answer.url.endswith("/x/?a=b")


@pytest.mark.parametrize("status", [307, 308])
def test_a_write_is_repeated_where_that_is_meant(status: int) -> None:
    answer, got = ask(redirecting(status, "/y"), "PUT", body=b'{"a":1}')
    assert answer.http_status == 200
    assert [(r.method, r.body) for r in got] == [("PUT", b'{"a":1}')] * 2


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_never_becomes_a_get(status: int) -> None:
    answer, got = ask(redirecting(status, "/y"), "PUT", body=b'{"a":1}')
    assert len(got) == 1
    error = unusable(answer)
    assert (error.kind, error.http_status, error.sent) == ("http_status", status, False)


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:1/x",  # the same machine under another name
        "http://127.0.0.1:1/x",  # another port
        "//127.0.0.2/x",
        "https://evil.example/x",
        "http://169.254.169.254/latest",
        "http://u:p@127.0.0.1/x",
        "file:///etc/passwd",
        "http://[::1",
    ],
)
def test_a_redirect_elsewhere_is_not_followed(location: str) -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(PeerUnusable) as caught:
            await client.request("GET", peer.url(), token=TOKEN)
        assert (caught.value.kind, caught.value.sent) == ("redirect", False)
        assert len(peer.requests) == 1

    with_peer(redirect(307, location), story)


def test_a_token_does_not_follow_to_another_server() -> None:
    async def run() -> None:
        async with RawPeer() as other:
            async with (
                RawPeer(redirect(307, other.url("/steal"))) as peer,
                PeerClient(allow_private=True) as client,
            ):
                with pytest.raises(PeerUnusable):
                    await client.request("POST", peer.url(), token=TOKEN, body=b"{}")
            assert other.connections == 0

    asyncio.run(run())


def test_redirects_in_circles_end() -> None:
    error = failure(redirect(307, "/x"))
    assert (error.kind, error.sent) == ("redirect", False)


# --- what the answer says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "not_json"),
        (b"<html>login</html>", "not_json"),
        (b'{"data":[', "not_json"),
        (b'{"status_code":NaN}', "not_json"),
        (b"\xff\xfe{}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_ocpi"),
        (b"null", "not_ocpi"),
        (b"1000", "not_ocpi"),
        (b"{}", "not_ocpi"),
        (b'{"data":[]}', "not_ocpi"),
        (b'{"status_code":"1000"}', "not_ocpi"),
        (b'{"status_code":true}', "not_ocpi"),
        (b'{"status_code":200}', "not_ocpi"),
    ],
)
def test_a_2xx_that_is_no_ocpi(body: bytes, kind: str) -> None:
    error = unusable(ask(http(body=body))[0])
    assert (error.kind, error.sent, error.http_status) == (kind, True, 200)


def test_an_envelope_is_read_whole() -> None:
    body = b"\xef\xbb\xbf" + envelope([1], 1000, status_message="fine")
    got = ask(http(status=201, body=body))[0].envelope()
    assert got.data == [1]
    assert got.status_code == 1000
    assert got.status_message == "fine"
    assert got.timestamp == "2024-01-01T00:00:00Z"


def test_an_ocpi_error_in_a_2xx_is_an_envelope_but_no_data() -> None:
    answer, _ = ask(http(body=envelope(None, 2001, status_message="no\x07\nsuch field")))
    assert answer.envelope().status_code == 2001
    with pytest.raises(PeerUnusable) as caught:
        answer.data()
    error = caught.value
    assert (error.kind, error.sent, error.ocpi_status_code) == ("ocpi_status", True, 2001)
    assert error.status_message == "no  such field"


@pytest.mark.parametrize(
    ("status", "sent"),
    [(301, False), (400, False), (401, False), (429, False), (500, None), (503, None)],
)
def test_other_statuses_say_whether_the_peer_can_have_acted(status: int, sent: bool | None) -> None:
    error = unusable(ask(http(status=status, body=b"oops", retry_after="7"), "POST")[0])
    assert (error.kind, error.http_status, error.sent) == ("http_status", status, sent)
    assert error.reason == f"the peer answered HTTP {status}"
    assert error.retry_after_s == 7.0
    assert error.ocpi_status_code is None


def test_the_ocpi_status_in_an_http_error_is_told() -> None:
    body = envelope(None, 2001, status_message="bad")
    error = unusable(ask(http(status=400, body=body))[0])
    assert (error.ocpi_status_code, error.status_message) == (2001, "bad")
    assert error.reason == "the peer answered HTTP 400 with OCPI status 2001"


@pytest.mark.parametrize("status", [200, 401])
def test_a_peer_that_echoes_the_token_does_not_bring_it_into_our_messages(status: int) -> None:
    message = f"unknown token {TOKEN} ({ENCODED})"
    answer, _ = ask(http(status=status, body=envelope(None, 2001, status_message=message)))
    with pytest.raises(PeerUnusable) as caught:
        answer.data()
    shown = f"{caught.value!r} {vars(caught.value)} {answer!r} {answer}"
    assert TOKEN not in shown and ENCODED not in shown
    assert caught.value.status_message == "unknown token *** (***)"


def test_nothing_of_the_token_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(redirecting(307, "/y"), "PUT", body=b"{}", routing=RoutingHeaders("NL", "CPO"))
    ask(http(), raw_token=True)
    assert caplog.records, "the HTTP library logs at DEBUG; else this proves nothing"
    assert TOKEN not in caplog.text and ENCODED not in caplog.text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("99999999999999999999", 86_400.0),
        ("-5", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(header: str, expected: float | None) -> None:
    assert ask(http(retry_after=header))[0].retry_after_s == expected


def test_retry_after_as_a_date() -> None:
    when = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=100), usegmt=True)
    seconds = ask(http(retry_after=when))[0].retry_after_s
    assert seconds is not None and 60 < seconds <= 100
    assert ask(http())[0].retry_after_s is None


def test_location_and_link_become_absolute() -> None:
    answer, _ = ask(http(status=201, location="cdrs/1", link='</x?offset=1>; rel="next"'))
    base = answer.url.removesuffix("/x")
    assert answer.location == f"{base}/cdrs/1"
    assert answer.next_url == f"{base}/x?offset=1"
    assert ask(http())[0].location is None
    assert ask(http())[0].next_url is None


# --- pages ------------------------------------------------------------------------------------


def crawl(
    answer: Handler, limit: int | None = None, path: str = "/x"
) -> tuple[list[list[dict[str, Any]]], list[str], PeerUnusable | None]:
    """All pages, the targets asked for, and the error that ended it if any."""

    async def story(peer: RawPeer, client: PeerClient) -> Any:
        pages: list[list[dict[str, Any]]] = []
        error = None
        try:
            async for page in client.pages(peer.url(path), token=TOKEN, limit=limit):
                pages += [list(page.items)] if page.items else []
        except PeerUnusable as exc:
            error = exc
        return pages, [r.target for r in peer.requests], error

    return with_peer(answer, story)


def page(ids: list[int], following: str | None = None, **headers: str) -> bytes:
    if following:
        headers["link"] = f'<{following}>; rel="next"'
    return http(200, envelope([{"id": n} for n in ids]), **headers)


def table(rows: dict[str, bytes]) -> Handler:
    async def handler(received: Received, writer: Any) -> None:
        writer.write(rows.get(received.target, http(status=404)))

    return handler


def test_pages_follow_the_links_to_the_last() -> None:
    rows = {
        "/x?a=b&limit=2": page([1, 2], "/x?a=b&offset=2&limit=2&c=zz%3D"),
        "/x?a=b&offset=2&limit=2&c=zz%3D": page([3, 4], "/x?a=b&offset=4"),
        "/x?a=b&offset=4": page([5]),
    }
    pages, asked, error = crawl(table(rows), limit=2, path="/x?a=b&limit=9")
    assert error is None
    assert [[o["id"] for o in p] for p in pages] == [[1, 2], [3, 4], [5]]
    assert asked == list(rows)


def test_every_page_carries_the_token_and_the_same_correlation_when_given() -> None:
    rows = {"/x": page([1], "/x?offset=1"), "/x?offset=1": page([2])}

    async def story(peer: RawPeer, client: PeerClient) -> None:
        routing = RoutingHeaders("NL", "CPO", "DE", "MSP")
        async for _ in client.pages(peer.url(), token=TOKEN, routing=routing, correlation_id="c-1"):
            pass
        for got in peer.requests:
            assert got.headers["authorization"] == f"Token {ENCODED}"
            assert got.headers["x-correlation-id"] == "c-1"
            assert got.headers["ocpi-to-party-id"] == "MSP"
        assert len(peer.requests) == 2

    with_peer(table(rows), story)


@pytest.mark.parametrize("data", [[], None])
def test_an_empty_list_has_no_pages(data: Any) -> None:
    async def handler(received: Received, writer: Any) -> None:
        writer.write(http(body=envelope(data)))

    assert crawl(handler) == ([], ["/x"], None)


@pytest.mark.parametrize(
    "following",
    ["http://127.0.0.1:1/x", "https://evil.example/x", "http://169.254.169.254/", "ftp://a/"],
)
def test_a_next_page_elsewhere_is_refused(following: str) -> None:
    pages, asked, error = crawl(table({"/x": page([1], following)}))
    assert (len(pages), len(asked)) == (1, 1)
    assert error is not None and error.kind == "refused_url"


def test_pages_that_go_round_end() -> None:
    rows = {"/x": page([1], "/y"), "/y": page([2], "/x")}
    base_less = crawl(table(rows))
    assert base_less[1] == ["/x", "/y"]
    assert base_less[2] is not None and base_less[2].kind == "not_ocpi"


def test_empty_pages_without_end_end() -> None:
    async def handler(received: Received, writer: Any) -> None:
        writer.write(page([], f"/x?n={len(received.target)}" + "1" * len(received.target)))

    pages, asked, error = crawl(handler)
    assert pages == []
    assert len(asked) == 4
    assert error is not None and error.reason == "the peer's pages have no end"


def test_a_peer_without_links_is_asked_on_by_offset_within_its_limit() -> None:
    async def handler(received: Received, writer: Any) -> None:
        query = dict(p.split("=") for p in received.target.partition("?")[2].split("&"))
        start = int(query.get("offset", "0"))
        ids = list(range(start, min(start + min(int(query["limit"]), 3), 8)))
        writer.write(page(ids, x_total_count="8", x_limit="3"))

    pages, asked, error = crawl(handler, limit=100, path="/x?f=1")
    assert error is None
    assert [o["id"] for p in pages for o in p] == list(range(8))
    assert asked == [
        "/x?f=1&limit=100",
        "/x?f=1&offset=3&limit=3",
        "/x?f=1&offset=6&limit=3",
    ]


def test_a_wrong_count_does_not_make_it_ask_for_ever() -> None:
    rows = {"/x": page([1, 2], x_total_count="1000", x_limit="50")}
    pages, asked, error = crawl(table(rows))
    assert (len(pages), asked, error) == (1, ["/x"], None)


@pytest.mark.parametrize("data", [{"id": 1}, 7, "x"])
def test_a_page_that_is_no_list(data: Any) -> None:
    async def handler(received: Received, writer: Any) -> None:
        writer.write(http(body=envelope(data)))

    pages, _, error = crawl(handler)
    assert pages == []
    assert error is not None and error.kind == "not_ocpi"


def test_one_bad_item_does_not_spoil_the_page() -> None:
    async def handler(received: Received, writer: Any) -> None:
        writer.write(http(body=envelope([{"id": 1}, 7, None])))

    pages, _, error = crawl(handler)
    assert (pages, error) == ([[{"id": 1}, 7, None]], None)


def test_a_list_that_was_read_in_part_goes_on_where_it_was() -> None:
    async def handler(received: Received, writer: Any) -> None:
        offset = int(received.target.rpartition("offset=")[2].partition("&")[0])
        writer.write(http(body=envelope([{"id": offset}]), **{"X-Total-Count": "5"}))  # type: ignore[arg-type]

    async def story(peer: RawPeer, client: PeerClient) -> Any:
        resume = ResumeAt(peer.url("/x?offset=3&limit=1"), pages=3, received=3)
        found = client.pages(peer.url(), token=TOKEN, limit=1, resume=resume)
        return [page.items async for page in found], [r.target for r in peer.requests]

    items, asked = with_peer(handler, story)
    assert items == [[{"id": 3}], [{"id": 4}]]
    assert asked == ["/x?offset=3&limit=1", "/x?offset=4&limit=1"]


# --- versions and details -----------------------------------------------------------------------


def test_versions_and_details_let_the_unknown_through() -> None:
    versions = [
        {"version": "2.2.1", "url": "https://a.example/2.2.1"},
        {"version": "9.9", "url": "https://a.example/9.9", "beta": True},
    ]
    endpoints = [
        {"identifier": "credentials", "role": "SENDER", "url": "https://a.example/cred"},
        {"identifier": "tokens", "role": "sender", "url": "https://a.example/tokens"},
        {"identifier": "nl.vendor.thing", "role": "OTHER", "url": "https://a.example/thing"},
        {"identifier": "locations", "url": "https://a.example/old"},
    ]
    rows = {
        "/versions": http(body=envelope(versions)),
        "/2.2.1": http(body=envelope({"version": "2.2.1", "endpoints": endpoints})),
    }

    async def story(peer: RawPeer, client: PeerClient) -> None:
        assert await client.versions_of(peer.url("/versions"), TOKEN) == [
            PeerVersion("2.2.1", "https://a.example/2.2.1"),
            PeerVersion("9.9", "https://a.example/9.9"),
        ]
        details = await client.details_of(peer.url("/2.2.1"), TOKEN)
        assert details.version == "2.2.1"
        assert len(details.endpoints) == 4
        assert details.endpoint("tokens", "SENDER") == PeerEndpoint(
            "tokens", "SENDER", "https://a.example/tokens"
        )
        assert details.endpoint("tokens", "RECEIVER") is None
        credentials = details.endpoint("credentials", "RECEIVER")
        assert credentials is not None and credentials.url == "https://a.example/cred"
        assert [e.role for e in details.endpoints] == ["SENDER", "SENDER", "OTHER", None]

    with_peer(table(rows), story)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        "2.2.1",
        [1],
        [{"version": "2.2.1"}],
        [{"version": 2.2, "url": "https://a"}],
        [{"version": "", "url": "https://a"}],
        [{"version": "2.2.1", "url": None}],
        [{"version": "1", "url": "https://a"}] * 201,
        [{"version": "1", "url": "https://a" * 1000}],
    ],
)
def test_versions_that_are_none(data: Any) -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(PeerUnusable) as caught:
            await client.versions_of(peer.url(), TOKEN)
        assert caught.value.kind == "not_ocpi"

    with_peer(http(body=envelope(data)), story)


ENDPOINT = {"identifier": "credentials", "role": "SENDER", "url": "https://a"}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"version": "2.2.1"},
        {"version": "2.2.1", "endpoints": {}},
        {"version": 2, "endpoints": [ENDPOINT]},
        {"version": "2.2.1", "endpoints": [ENDPOINT, {"identifier": "x"}]},
        {"version": "2.2.1", "endpoints": [ENDPOINT | {"url": 1}]},
    ],
)
def test_details_that_are_none(data: Any) -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(PeerUnusable) as caught:
            await client.details_of(peer.url(), TOKEN)
        assert caught.value.kind == "not_ocpi"

    with_peer(http(body=envelope(data)), story)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(status=401), "http_status"),
        (http(body=envelope(None, 3000)), "ocpi_status"),
        (http(body=b"hello"), "not_json"),
    ],
)
def test_versions_of_a_peer_in_trouble(answer: bytes, kind: str) -> None:
    async def story(peer: RawPeer, client: PeerClient) -> None:
        with pytest.raises(PeerUnusable) as caught:
            await client.versions_of(peer.url(), TOKEN)
        assert caught.value.kind == kind

    with_peer(answer, story)


# --- what is counted ----------------------------------------------------------------------


def test_requests_are_counted_by_what_came_of_them() -> None:
    about = Subject("peer-counted", "cdrs")

    def results(result: str) -> Callable[[], float]:
        labels = {"peer": "peer-counted", "module": "cdrs", "result": result}
        return growth_of("cpo_peer_requests_total", **labels)

    def codes(code: str) -> Callable[[], float]:
        return growth_of("cpo_peer_answers_total", module="cdrs", code=code)

    good, refused, failed, broken = map(results, ("ok", "refused", "failed", "broken_answer"))
    known, unknown = codes("2001"), codes("2xxx")
    took = growth_of("cpo_peer_request_duration_seconds_count", peer="peer-counted")
    ask(http(body=envelope(None)), about=about)
    ask(http(body=envelope(None, 2001)), about=about)  # HTTP 200, and a refusal all the same
    ask(http(body=envelope(None, 2345)), about=about)
    ask(http(503, envelope(None, 3000)), about=about)
    failure(b"this is no HTTP\r\n\r\n", about=about)
    assert (good(), refused(), failed(), broken()) == (1, 2, 1, 1)
    assert (known(), unknown(), took()) == (1, 1, 5)


def test_what_a_peer_makes_up_is_no_label_of_ours() -> None:
    odd = growth_of("cpo_peer_answers_total", module="other", code="other")
    ask(http(body=b'{"status_code": 7777}'), about=Subject(None, "made-up"))
    assert odd() == 1
