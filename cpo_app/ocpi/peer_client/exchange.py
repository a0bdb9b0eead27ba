"""One HTTP exchange with a peer: out over a lent connection, back as a whole answer.

Every way in which it can fail becomes a PeerUnusable that says what the peer can have seen of
the request. It follows no redirects, reads no OCPI, and repeats a read once, a write never.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import anyio
import httpcore

from cpo_app.ocpi.peer_client.bounded_body import BodyBroken, BodyTooLarge, BoundedBody
from cpo_app.ocpi.peer_client.connection_pool import ConnectionPool
from cpo_app.ocpi.peer_client.peer_answer import Kind, PeerAnswer, PeerUnusable
from cpo_app.ocpi.peer_client.peer_headers import Headers, with_request_id
from cpo_app.otlp.spans import Span, span
from cpo_app.outgoing.guarded_network import TlsFailed
from cpo_app.outgoing.url_guard import PeerUrl, UrlRefused
from domain.exchanges.document import WHOLE_BYTES
from domain.exchanges.exchange import (
    NOTHING,
    UNNAMED,
    Content,
    Direction,
    Seen,
    Subject,
    content_of,
)
from domain.exchanges.recorder import Recorder
from domain.trace import bound_id

READS = frozenset({"GET", "HEAD"})
_ROUTINE = ("locations", "sessions", "tariffs", "tokens")
_SUCCESS = re.compile(rb'"status_code"\s*:\s*1')


class Exchange:
    """HTTP over a connection pool; the arguments are those of PeerClient."""

    def __init__(
        self,
        pool: ConnectionPool,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        max_response_bytes: int,
        recorder: Recorder | None = None,
    ) -> None:
        self._pool = pool
        self._recorder = recorder
        self._timeouts = {
            "connect": connect_timeout_s,
            "read": read_timeout_s,
            "write": read_timeout_s,
        }
        self._max_response_bytes = max_response_bytes

    async def run(
        self,
        method: str,
        url: PeerUrl,
        headers: Headers,
        body: bytes | None,
        secrets: tuple[str, ...],
        about: Subject = UNNAMED,
    ) -> PeerAnswer:
        """The answer of any status, complete. `secrets`: what the answer must not pass on;
        `about`: what is asked, for the recorder.

        Raises PeerUnusable, or ValueError for a request that cannot be written as HTTP.
        """
        begun = time.perf_counter()
        sent = with_request_id(headers)
        answer: PeerAnswer | None = None
        problem: str | None = "it was broken off"
        try:
            with _span(method, url, about) as under_way:
                sent = [*sent, *_raw(under_way.headers())]
                answer = await self._run(method, url, sent, body, secrets)
                _tell(under_way, answer)
            problem = None
        except PeerUnusable as error:
            problem = error.reason
            raise
        finally:
            recorder = self._recorder
            if recorder and not recorder.leaves_out(routine=_is_routine(method, about, answer)):
                took_s = time.perf_counter() - begun
                recorder.take(
                    _seen(method, url, sent, body, answer, secrets, about, took_s, problem)
                )
        return answer

    async def _run(
        self,
        method: str,
        url: PeerUrl,
        headers: Headers,
        body: bytes | None,
        secrets: tuple[str, ...],
    ) -> PeerAnswer:
        try:
            try:
                return await self._send(method, url, headers, body, secrets)
            except _DeadConnection:
                return await self._send(method, url, headers, body, secrets, again=True)
        except UrlRefused as exc:
            raise PeerUnusable(str(exc), "refused_url", sent=False) from None
        except TlsFailed as exc:
            raise PeerUnusable(f"TLS failed: {exc}", "tls", sent=False) from None
        except httpcore.ConnectTimeout:
            raise _unsent("connecting to the peer took too long", "timeout") from None
        except httpcore.PoolTimeout:
            raise _unsent("no connection to the peer became free", "timeout") from None
        except httpcore.ConnectError:
            raise _unsent("the peer cannot be reached", "unreachable") from None
        except httpcore.TimeoutException:
            raise _unclear("the peer did not answer in time", "timeout") from None
        except BodyTooLarge:
            limit = self._max_response_bytes
            raise _unclear(f"the peer's answer is over {limit} bytes", "too_large") from None
        except BodyBroken as exc:
            raise _unclear(f"the peer's answer is broken: {exc}", "broken_answer") from None
        except httpcore.LocalProtocolError:
            raise ValueError("the request cannot be written as HTTP") from None
        except ssl.SSLError:
            raise _unclear("TLS failed in the middle of the exchange", "tls") from None
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            anyio.EndOfStream,
            anyio.BrokenResourceError,
            OSError,
        ):
            raise _unclear("the connection to the peer broke off", "broken_answer") from None

    async def _send(
        self,
        method: str,
        url: PeerUrl,
        headers: Headers,
        body: bytes | None,
        secrets: tuple[str, ...],
        again: bool = False,
    ) -> PeerAnswer:
        request = httpcore.Request(
            method=method.encode("ascii"),
            url=httpcore.URL(
                scheme=url.scheme.encode("ascii"),
                host=url.host.encode("ascii"),
                port=url.port,
                target=url.target.encode("ascii"),
            ),
            headers=[
                (b"Host", url.netloc.encode("ascii")),
                *headers,
            ],
            content=body or b"",
            extensions={"timeout": self._timeouts},
        )
        async with self._pool.lend(url) as connection:
            kept_alive = connection.is_available()
            try:
                response = await connection.handle_async_request(request)
            except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError):
                if kept_alive and not again and method in READS:
                    raise _DeadConnection from None
                raise
            try:
                return PeerAnswer(
                    http_status=response.status,
                    headers=(received := _joined(response.headers)),
                    body=await self._body(response, received),
                    url=str(url),
                    secrets=secrets,
                )
            finally:
                await response.aclose()

    async def _body(self, response: httpcore.Response, headers: dict[str, str]) -> bytes:
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:19]) > self._max_response_bytes:
            raise BodyTooLarge
        gathered = BoundedBody(headers.get("content-encoding"), self._max_response_bytes)
        async for chunk in response.aiter_stream():
            gathered.feed(chunk)
        return gathered.finish()


def _span(method: str, url: PeerUrl, about: Subject) -> AbstractContextManager[Span]:
    return span(
        f"{method} {about.module or 'peer'}",
        "client",
        {"http.request.method": method, "server.address": url.host, "server.port": url.port},
    )


def _raw(headers: Sequence[tuple[str, str]]) -> Headers:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]


def _tell(under_way: Span, answer: PeerAnswer) -> None:
    peer_id = bound_id("peer_id")
    if peer_id:
        under_way.tell("cpo.peer_id", peer_id)
    under_way.tell("http.response.status_code", answer.http_status)
    if answer.http_status >= 400:
        under_way.fail(f"HTTP {answer.http_status}")


class _DeadConnection(Exception):
    """A kept-alive connection that the peer had closed before it saw the request."""


def _is_routine(method: str, about: Subject, answer: PeerAnswer | None) -> bool:
    """What there is much of, and nobody asks about: objects pushed or read, all well."""
    return (
        answer is not None
        and answer.http_status < 300
        and about.module in _ROUTINE
        and method != "POST"
        and _SUCCESS.search(answer.body) is not None
    )


def _seen(
    method: str,
    url: PeerUrl,
    headers: Headers,
    body: bytes | None,
    answer: PeerAnswer | None,
    secrets: tuple[str, ...],
    about: Subject,
    took_s: float,
    problem: str | None,
) -> Seen:
    ids = {name.lower(): value.decode("ascii") for name, value in headers if name[:2] == b"X-"}
    received = {} if answer is None else answer.headers
    return Seen(
        direction=Direction.OUT,
        method=method,
        url=str(url),
        request_headers=headers,
        request=NOTHING if body is None else Content(body, len(body)),
        status=None if answer is None else answer.http_status,
        response_headers=[(n.encode("latin-1"), v.encode("latin-1")) for n, v in received.items()],
        response=NOTHING if answer is None else content_of((answer.body,), WHOLE_BYTES),
        took_s=took_s,
        subject=about if about.peer_id else replace(about, peer_id=bound_id("peer_id")),
        request_id=ids.get(b"x-request-id"),
        correlation_id=ids.get(b"x-correlation-id"),
        error=problem,
        secrets=secrets,
        also=_led_to_it(about),
        is_page=method == "GET" and "x-total-count" in received,
    )


def _led_to_it(about: Subject) -> tuple[str, ...]:
    """What was going on: the command, or, of a registration, the act of an operator or peer. A
    lane that pushes may have begun in any request, and is not of it."""
    names = ("command_id",) if about.peer_id else ("command_id", "correlation_id")
    return tuple(filter(None, map(bound_id, names)))


def _unsent(reason: str, kind: Kind) -> PeerUnusable:
    return PeerUnusable(reason, kind, sent=False)


def _unclear(reason: str, kind: Kind) -> PeerUnusable:
    return PeerUnusable(reason, kind, sent=None)


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
