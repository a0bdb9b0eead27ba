"""An eMSP with tokens to pull and cards to authorize, on a real server; faulty where told so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.conftest import Loop
from tests.peers.emsp import Emsp, envelope
from tests.serving import served


@dataclass
class Asked:
    """One request at the tokens interface; `query` with one value for each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: Headers
    body: bytes


@dataclass
class TokenEmsp(Emsp):
    """`tokens` in order of creation. `pages_left`: so many pages it gives, then it breaks down.

    `words`: AuthorizationInfo, or whole Response, by uid; None: no answer, ever. They are given
    once `answers_when` holds.
    """

    tokens: list[Any] = field(default_factory=list)
    page_size: int = 2
    pages_left: int | None = None
    outdated_links: bool = False
    words: dict[str, Any] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    at_page: asyncio.Event | None = None
    answers_when: Callable[[], object] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/tokens"):
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        query = {name: values[-1] for name, values in parse_qs(request.url.query).items()}
        path = unquote(scope["raw_path"].decode().split("?")[0])
        asked = Asked(request.method, path, query, request.headers, await request.body())
        self.requests.append(asked)
        response = await (self._page(asked) if asked.method == "GET" else self._word(asked))
        await response(scope, receive, send)

    async def _page(self, asked: Asked) -> Response:
        if self.at_page is not None:
            await self.at_page.wait()
        if self.pages_left is not None:
            if self.pages_left == 0:
                return Response("down for repairs", 503)
            self.pages_left -= 1
        offset = int(asked.query.get("offset", 0))
        if offset and self.outdated_links:
            return envelope(status_code=2001)
        since = asked.query.get("date_from", "")
        found = [
            one
            for one in self.tokens
            if not isinstance(one, dict) or str(one.get("last_updated", "~")) >= since
        ]
        page = found[offset : offset + self.page_size]
        answer = envelope(page)
        answer.headers["X-Total-Count"] = str(len(found))
        answer.headers["X-Limit"] = str(self.page_size)
        if offset + self.page_size < len(found):
            query = urlencode({**asked.query, "offset": offset + self.page_size})
            answer.headers["Link"] = f'<{self.base_url}/tokens?{query}>; rel="next"'
        return answer

    async def _word(self, asked: Asked) -> Response:
        uid = asked.path.split("/")[2]
        if uid not in self.words:
            return envelope(status_code=2004)
        while self.answers_when and not self.answers_when():
            await asyncio.sleep(0.005)
        word = self.words[uid]
        if word is None:
            await asyncio.Event().wait()
        return word if isinstance(word, Response) else envelope(word)


@contextmanager
def token_emsp_on(loop: Loop, *parties: str) -> Iterator[TokenEmsp]:
    emsp = TokenEmsp(parties or ("DE*TNM",))
    with served(emsp, loop) as base_url:
        emsp.base_url = base_url
        yield emsp
