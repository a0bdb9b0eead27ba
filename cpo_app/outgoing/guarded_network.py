"""The network under the client: it connects to addresses that the guard let through, and to
no others, and keeps every read and write inside the request's deadline.

The name is resolved once per connection and the connection goes to the address that was
checked; TLS still asks for the certificate of the name. The deadline is enforced here, beneath
the HTTP code, rather than by cancelling it: a peer that drips a byte a second is stopped all
the same, and no half-cancelled connection is left behind. It never looks at what it carries.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
import httpcore

from cpo_app.outgoing.url_guard import UrlGuard

# Enough for a dual-stack host with spares; a zone with hundreds of addresses is no help.
MAX_ADDRESSES = 4

Shown = Callable[[str, int, bytes], None]
"""Host, port, and the certificate that its server has shown (DER)."""


def nobody_asks(host: str, port: int, certificate: bytes) -> None:
    pass


_deadline: ContextVar[float | None] = ContextVar("peer_request_deadline", default=None)


class TlsFailed(Exception):
    """The TLS handshake failed: nothing was sent. The message says why, in a few words."""


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Every network operation inside ends by this instant (of time.monotonic())."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_s(limit_s: float | None = None) -> float | None:
    """Seconds until the deadline, never below 0, at most `limit_s`; None is without end."""
    deadline = _deadline.get()
    if deadline is None:
        return limit_s
    left = max(0.0, deadline - time.monotonic())
    return left if limit_s is None else min(left, limit_s)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects where the guard allows. `network` makes the plain connections (a fake in tests).
    `shown` hears of every certificate that was found good.

    Raises UrlRefused where httpcore would connect to a forbidden address.
    """

    def __init__(
        self,
        guard: UrlGuard,
        network: httpcore.AsyncNetworkBackend | None = None,
        shown: Shown = nobody_asks,
    ) -> None:
        self._guard = guard
        self._shown = shown
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        timeout = remaining_s(timeout)
        ends = None if timeout is None else time.monotonic() + timeout
        try:
            with anyio.fail_after(timeout):
                addresses = (await self._guard.addresses(host))[:MAX_ADDRESSES]
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name did not resolve in time") from None
        except OSError:
            raise httpcore.ConnectError("the name does not resolve") from None
        failure: Exception = httpcore.ConnectError("the name has no addresses")
        for index, address in enumerate(addresses):
            # Each address gets its share of the time, so that a dead first one leaves some.
            share = None
            if ends is not None:
                share = max(0.0, ends - time.monotonic()) / (len(addresses) - index)
            try:
                stream = await self._network.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return GuardedStream(stream, lambda der: self._shown(host, port, der))
        raise failure

    async def connect_unix_socket(
        self, *args: object, **kwargs: object
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("peers are not reached through sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class GuardedStream(httpcore.AsyncNetworkStream):
    """A connection whose reads, writes and handshake stay inside the deadline."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, shown: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._shown = shown

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, remaining_s(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, remaining_s(timeout))

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            secured = await self._stream.start_tls(
                ssl_context, server_hostname, remaining_s(timeout)
            )
        except BaseException as exc:
            # A cancelled handshake too: httpcore would leave the socket open then.
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
            if isinstance(exc, httpcore.ConnectTimeout) or not isinstance(exc, Exception):
                raise
            raise TlsFailed(_tls_reason(exc)) from exc
        tls = secured.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
        if certificate:
            self._shown(certificate)
        return GuardedStream(secured, self._shown)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _tls_reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return exc.verify_message or "the certificate is not valid"
    if isinstance(exc, ssl.SSLError) and exc.reason:
        return exc.reason.replace("_", " ").lower()
    return "the handshake broke off"
