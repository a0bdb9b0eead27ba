"""What peers ask of us, seen whole for the recorder: pure ASGI, around the gate.

It looks on: it holds on to what goes by, and hands it over at the end. Most of what goes by at
full load is not kept: of that nothing is read but what the gate knows of it anyway. Bodies are
handed over as far as they will be looked at, and a page of objects only as far as it will be kept.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection, Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cpo_app.ocpi.server.context import SCOPE_KEY, RequestContext
from cpo_app.ocpi.server.gate import plain_path
from domain.exchanges.document import WHOLE_BYTES, is_success
from domain.exchanges.exchange import Direction, Seen, Subject, content_of
from domain.exchanges.recorder import Recorder
from domain.exchanges.redaction import secrets_in

_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS"))
_ROUTINE = frozenset(("locations", "sessions", "cdrs", "tariffs", "tokens", "hubclientinfo"))


class RecordedExchanges:
    """Requests under `/<prefix>/`, but for `open_paths` (the docs). `page_bytes`: as much of a page
    of objects as is kept."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        recorder: Recorder,
        page_bytes: int,
        open_paths: Collection[str] = (),
    ) -> None:
        self.app = app
        self._root = f"/{prefix}"
        self._below = f"/{prefix}/"
        self._recorder = recorder
        self._page_bytes = page_bytes
        self._open = tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        recorder = self._recorder
        if not recorder.on or scope["type"] != "http" or not self._concerns(scope["path"]):
            return await self.app(scope, receive, send)
        watch = _Watch(scope, receive, send)
        if scope["method"] not in _WITHOUT_BODY:
            receive = watch.receive
        try:
            await self.app(scope, receive, watch.send)
        finally:
            if not recorder.leaves_out(routine=watch.is_routine):
                recorder.take(watch.seen(self._page_bytes))
        return None

    def _concerns(self, path: str) -> bool:
        if "//" in path:
            path = plain_path(path)
        if not path.startswith(self._below) and path != self._root:
            return False
        return not path.startswith(self._open) if self._open else True


class _Watch:
    """One request going by: nothing is looked at before it has ended."""

    __slots__ = ("_answer", "_begun", "_receive", "_request", "_response", "_scope", "_send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._begun = time.perf_counter()
        self._scope = scope
        self._receive = receive
        self._send = send
        self._answer: Message | None = None
        self._request: list[bytes] = []
        self._response: list[bytes] = []

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._request.append(message.get("body", b""))
        return message

    def send(self, message: Message) -> Awaitable[None]:
        # The body at once: who compresses it puts another in its place.
        if message["type"] == "http.response.body":
            self._response.append(message.get("body", b""))
        elif message["type"] == "http.response.start":
            self._answer = message
        return self._send(message)

    @property
    def is_routine(self) -> bool:
        """A page or an object that was read, and all was well: that is most of all requests."""
        answer = self._answer
        if answer is None or answer["status"] != 200 or self._scope["method"] != "GET":
            return False
        context = self._context
        if context is None or context.status_code is None or not is_success(context.status_code):
            return False
        return context.module in _ROUTINE or self._is_page

    @property
    def _is_page(self) -> bool:
        answer = self._answer
        if answer is None or answer["status"] != 200 or self._scope["method"] != "GET":
            return False
        return any(name == b"x-total-count" for name, _ in answer["headers"])

    @property
    def _context(self) -> RequestContext | None:
        context: RequestContext | None = self._scope.get(SCOPE_KEY)
        return context

    def seen(self, page_bytes: int) -> Seen:
        took_s = time.perf_counter() - self._begun
        scope, answer, context, is_page = self._scope, self._answer, self._context, self._is_page
        caller = None if context is None else context.caller
        query: bytes = scope.get("query_string", b"")
        path: str = scope["path"]
        authorization = next(
            (value for name, value in scope["headers"] if name == b"authorization"), b""
        )
        return Seen(
            direction=Direction.IN,
            method=scope["method"],
            url=f"{path}?{query.decode('latin-1')}" if query else path,
            request_headers=scope["headers"],
            request=content_of(self._request, WHOLE_BYTES),
            status=None if answer is None else answer["status"],
            response_headers=() if answer is None else answer["headers"],
            response=content_of(self._response, page_bytes if is_page else WHOLE_BYTES),
            took_s=took_s,
            subject=Subject(None if caller is None else caller.peer.peer_id, *_place(path)),
            request_id=None if context is None else context.request_id,
            correlation_id=None if context is None else context.correlation_id,
            address=(scope.get("client") or (None,))[0],
            error=None if answer else "it ended without an answer",
            secrets=secrets_in(authorization.decode("latin-1")),
            is_page=is_page,
        )


def _place(path: str) -> tuple[str | None, str | None]:
    """(module, version) of a path. No module: as the URL reads; no id is taken for one."""
    return _place_of(tuple(plain_path(path).split("/", 5)[2:5]))


@lru_cache(maxsize=1024)
def _place_of(parts: Sequence[str]) -> tuple[str | None, str | None]:
    """`parts`: the first three behind the prefix. They are few, objects are many."""
    below = parts[:1] == ("cpo",)
    module = (parts[2] if len(parts) > 2 else None) if below else "versions"
    version = parts[1] if below and len(parts) > 1 else next(iter(parts), "")
    return module, version if version[:1].isdigit() and len(version) <= 8 else None
