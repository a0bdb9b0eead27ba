"""HTTP/1.1 for strangers: uvicorn's httptools protocol with a price on everything.

Before anything of ours sees a request: its line and headers have at most MAX_HEAD_BYTES (431) and
are there within HEAD_WITHIN_S, its body within BODY_WITHIN_S (408), and what frames a body is no
larger than it has to be. Who does not read his answer is left. Nothing is logged per request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cpo_app.front_door import client_certificates, kept_connections
from cpo_app.front_door.doorkeeper import Doorkeeper
from cpo_app.front_door.refusals import REFUSALS
from cpo_app.http_errors import error_answer

MAX_HEAD_BYTES = 16_384
MAX_FRAMING_PER_BODY_BYTE = 8
"""A chunk of one byte takes five more; whatever exceeds this is not there to carry a body."""
MAX_PIPELINED = 8
HEAD_WITHIN_S = 10.0
BODY_WITHIN_S = 30.0
READ_WITHIN_S = 30.0
"""How long an answer may lie with nobody reading on."""
LINGER_S = 1.0
"""A refused client is listened to that long, so that the answer is not lost to a reset."""


class _TooMuch(Exception):
    """The head is larger than it may be, or more requests came than wait their turn."""


class StrangersProtocol(HttpToolsProtocol):
    """One connection of the server that `door` is kept for."""

    def __init__(
        self,
        *args: Any,
        door: Doorkeeper,
        certificate_header: Callable[[str], bytes | None] = lambda _address: None,
        **keywords: Any,
    ) -> None:
        super().__init__(*args, **keywords)
        self.address = ""
        self._door = door
        self._certificate_header_of = certificate_header
        self._certificate_header: bytes | None = None
        """In which header this connection, a trusted proxy's, names its client's certificate."""
        self._certificate: client_certificates.ClientCertificate | None = None
        self._head_bytes = 0
        self._unframed_bytes = 0
        self._body_bytes = 0
        self._first_in_piece = 0
        """The size of the piece of data at hand, until a request has ended in it."""
        self._in_head = self._in_body = False
        self._since = 0.0
        """When the present wait began: for a head, for a body."""
        self._unread_since: float | None = None
        self._refused = False
        self._body_within_s = BODY_WITHIN_S
        self._kept_for_s = 0
        """How long it may idle beyond what strangers may (kept_connections.py)."""
        self._is_endless = False
        """Whether the present answer goes on for as long as both sides want."""

    # --- what the doorkeeper asks

    def is_owed_an_answer(self) -> bool:
        """Whether a whole request has arrived and its answer is not out."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not self._in_body

    def look_at_the_clock(self, now: float) -> None:
        if self._refused or self.transport.is_closing():
            return
        if self._unread_since is not None:
            if now - self._unread_since > READ_WITHIN_S:
                REFUSALS.count("unread", self.address)
                self.transport.abort()
        elif self._in_body:
            within_s = self._body_within_s
            if not self.flow.read_paused and now - self._since > within_s:
                self._refuse(408, "slow", f"the body did not arrive within {within_s:.0f} s")
        elif self.is_owed_an_answer():
            self._since = now
        elif now - self._since > HEAD_WITHIN_S:
            if self._in_head:
                self._refuse(408, "slow", f"no request within {HEAD_WITHIN_S:.0f} s")
            elif now - self._since > self._kept_for_s:
                self.transport.close()

    def keep_open(self) -> None:
        """Whoever sends the present request is known."""
        if self._door.has_room_to_keep(self):
            self._kept_for_s = self.timeout_keep_alive = kept_connections.KEPT_FOR_S

    def wait_for_body(self) -> None:
        """Whoever sends the present request is known, and its body is long."""
        self._body_within_s = kept_connections.LONG_BODY_WITHIN_S

    def end_when_stopping(self) -> None:
        """The present answer has no end of its own."""
        self._is_endless = True

    def let_go(self) -> None:
        """Whoever asked takes too long to read the answer."""
        self._refuse(408, "unread", "the answer was not read in time")

    def shutdown(self) -> None:
        cycle = self.cycle
        if self._is_endless and cycle is not None and not cycle.response_complete:
            # As if the client had left: the application ends it without a word.
            cycle.disconnected = True
            cycle.message_event.set()
            self.transport.close()
            return
        super().shutdown()

    def give_way(self) -> None:
        REFUSALS.count("crowded", self.address)
        self.transport.abort()

    # --- what the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._certificate_header = self._certificate_header_of(self.address)
        self._certificate = client_certificates.of_handshake(transport.get_extra_info("ssl_object"))
        self._since = self.loop.time()
        if not self._door.let_in(self):
            REFUSALS.count("crowded", self.address)
            self._refused = True
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.gone(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._unframed_bytes += len(data)
        self._first_in_piece = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No other protocol is spoken here: the request is answered as what it is.
            pass
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooMuch):
                self._refuse(431, "too large", str(error.__context__))
            else:
                self._refuse(400, "malformed", "this is no HTTP/1.1 request")
            return
        framing = self._unframed_bytes - self._body_bytes
        if framing > MAX_HEAD_BYTES + MAX_FRAMING_PER_BODY_BYTE * self._body_bytes:
            self._refuse(431, "too large", _head_text())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = None

    # --- what the parser says

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooMuch(f"more than {MAX_PIPELINED} requests before the first was answered")
        self._head_bytes = self._body_bytes = 0
        # What stands before it in the same piece of data is another request's.
        self._unframed_bytes = self._first_in_piece
        self._in_head = True
        self._since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        self._unframed_bytes = max(0, self._first_in_piece - self._head_bytes)
        self._since = self.loop.time()
        certificate = self._certificate
        if self._certificate_header is not None:
            certificate = client_certificates.of_headers(self.headers, self._certificate_header)
        extensions: dict[str, dict[object, object]] = {
            kept_connections.EXTENSION: {
                "keep": self.keep_open,
                "wait": self.wait_for_body,
                "end": self.end_when_stopping,
                "let_go": self.let_go,
            }
        }
        if certificate is not None:
            shown: dict[object, object] = dict(certificate._asdict().items())
            extensions[client_certificates.EXTENSION] = shown
        self.scope["extensions"] = extensions
        # As every connection begins, unless this request says once more who sends it.
        self._kept_for_s, self.timeout_keep_alive = 0, self.config.timeout_keep_alive
        self._body_within_s = BODY_WITHIN_S
        self._is_endless = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._unframed_bytes = self._body_bytes = self._first_in_piece = 0
        self._since = self.loop.time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()
        if self._in_body and not self.transport.is_closing():
            # Answered before the body was there (no token, too large): nobody will read it.
            self._hang_up()

    def _should_upgrade(self) -> bool:
        return False

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _TooMuch(_head_text())

    def _refuse(self, status: int, reason: str, detail: str) -> None:
        """Answer and end the connection; the application hears that the client is gone."""
        REFUSALS.count(reason, self.address)
        self._refused = True
        cycle = self.cycle
        under_way = cycle is not None and not cycle.response_complete
        has_begun = under_way and cycle.response_started
        if under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        if has_begun or self.pipeline or self.transport.is_closing():
            # An answer is on the wire, or owed first: ours would stand in its place.
            self.transport.abort()
            return
        self.transport.write(_answer(status, detail))
        self._hang_up()

    def _hang_up(self) -> None:
        """Say no more, and hear nothing that still comes."""
        self._refused = True
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER_S, self.transport.abort)
        else:
            self.transport.close()


def _head_text() -> str:
    return f"the request's line and headers are larger than {MAX_HEAD_BYTES} bytes"


def _answer(status: int, detail: str) -> bytes:
    body = error_answer(status, detail).body
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
