"""An eMSP that tests play: a real server that answers as the text says, until told otherwise.

It writes down every request, and its answers can be exchanged one by one (`answers`), so that
it can be slow, broken or hostile exactly where a test wants it. It has tokens to pull and
cards to authorize, too.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from domain.versions import ObjectKind, version_of
from tests.conftest import Loop
from tests.serving import served

AT = "2024-05-01T10:00:00Z"
Answer = Response | Callable[[], Awaitable[Response]]

EMSP_ENDPOINTS = {
    "credentials": "RECEIVER",
    "locations": "RECEIVER",
    "sessions": "RECEIVER",
    "cdrs": "RECEIVER",
    "tariffs": "RECEIVER",
    "tokens": "SENDER",
    "commands": "SENDER",
    "chargingprofiles": "SENDER",
}


@dataclass
class Seen:
    """One request that the eMSP has received."""

    method: str
    path: str
    headers: Headers
    body: bytes

    @property
    def token(self) -> str:
        """The credentials token that was presented in Base64, decoded."""
        return base64.b64decode(self.headers["authorization"].split(" ", 1)[1]).decode()

    @property
    def raw_token(self) -> str:
        """The credentials token as it was presented."""
        return self.headers["authorization"].split(" ", 1)[1]

    def json(self) -> Any:
        return json.loads(self.body)


def envelope(data: Any = None, status_code: int = 1000, http_status: int = 200) -> Response:
    body = {"status_code": status_code, "timestamp": AT}
    return JSONResponse(body if data is None else {"data": data, **body}, http_status)


@dataclass
class Asked:
    """One request at the tokens interface; `query` with one value for each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: Headers
    body: bytes


@dataclass
class Emsp:
    """Where it is, whom it lets in, and what it has seen. `token` is what we must present.

    `tokens` in order of creation. `pages_left`: so many pages it gives, then it breaks down.

    `words`: AuthorizationInfo, or whole Response, by uid; None: no answer, ever. They are given
    once `answers_when` holds.
    """

    parties: tuple[str, ...] = ("DE*TNM",)
    token: str = "token-of-the-emsp-0123456789"
    base_url: str = ""
    token_for_us: str | None = None
    """What we gave it in our credentials, once it took them."""
    version: str = "2.2.1"
    also: tuple[str, ...] = ()
    """further versions that its platform speaks, each below a path of its own: /2.3.0/..."""
    endpoints: dict[str, str] = field(default_factory=lambda: dict(EMSP_ENDPOINTS))
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    tokens: list[Any] = field(default_factory=list)
    page_size: int = 2
    pages_left: int | None = None
    outdated_links: bool = False
    words: dict[str, Any] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    at_page: asyncio.Event | None = None
    answers_when: Callable[[], object] | None = None

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/versions"

    def credentials(self, **changed: Any) -> dict[str, Any]:
        """Its credentials object."""
        roles = [
            {
                "role": "EMSP",
                "country_code": party[:2],
                "party_id": party[3:],
                "business_details": {"name": f"eMSP {party}"},
            }
            for party in self.parties
        ]
        return {"token": self.token, "url": self.versions_url, "roles": roles, **changed}

    def asked(self, method: str, path: str) -> list[Seen]:
        return [seen for seen in self.seen if (seen.method, seen.path) == (method, path)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        seen = Seen(request.method, request.url.path, request.headers, await request.body())
        self.seen.append(seen)
        answer = self.answers.get((seen.method, seen.path))
        if answer is None:
            response = await self._of_tokens(scope, request, seen) or self._as_the_text_says(seen)
        else:
            response = answer if isinstance(answer, Response) else await answer()
        await response(scope, receive, send)

    def _as_the_text_says(self, seen: Seen) -> Response:
        if seen.path == "/versions":
            rows = [{"version": self.version, "url": f"{self.base_url}/details"}]
            rows += [
                {"version": number, "url": f"{self.base_url}/{number}/details"}
                for number in self.also
            ]
            return envelope(rows)
        first = seen.path.split("/")[1]
        number = first if first in self.also else self.version
        below = f"/{number}" if first in self.also else ""
        if seen.path == f"{below}/details":
            return envelope(self._details(number, f"{self.base_url}{below}"))
        if seen.path == f"{below}/credentials" and seen.method in ("POST", "PUT"):
            self.token_for_us = seen.json()["token"]
            return envelope(self._said_in(number))
        return envelope()

    def _details(self, number: str, below: str) -> dict[str, Any]:
        form = version_of(number)
        has_roles = form is None or form.description.endpoints_have_roles
        rows = [
            {"identifier": name, **({"role": role} if has_roles else {}), "url": f"{below}/{name}"}
            for name, role in self.endpoints.items()
            if has_roles or name != "chargingprofiles"
        ]
        return {"version": number, "endpoints": rows}

    def _said_in(self, number: str) -> dict[str, Any]:
        """Its credentials as the version has them."""
        form = version_of(number)
        if form is None:
            return self.credentials()
        return form.render(ObjectKind.CREDENTIALS, self.credentials()).object

    async def _of_tokens(self, scope: Scope, request: Request, seen: Seen) -> Response | None:
        if not seen.path.startswith("/tokens"):
            return None
        query = {name: values[-1] for name, values in parse_qs(request.url.query).items()}
        path = unquote(scope["raw_path"].decode().split("?")[0])
        asked = Asked(seen.method, path, query, seen.headers, seen.body)
        self.requests.append(asked)
        return await (self._page(asked) if asked.method == "GET" else self._word(asked))

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
def emsp_on(loop: Loop, *parties: str) -> Iterator[Emsp]:
    """An eMSP with these parties on a server of its own."""
    emsp = Emsp(parties or ("DE*TNM",))
    with served(emsp, loop) as base_url:
        emsp.base_url = base_url
        yield emsp


def never() -> Callable[[], Awaitable[Response]]:
    """An answer that does not come."""

    async def wait() -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    return wait
