"""Everything that we ask of OCPI peers goes through `PeerClient`: one per process.

It adds the OCPI headers, guards every URL (url_guard.py), keeps connections alive, follows few
redirects and only to the same place, and bounds time and size. It knows no module's meaning,
reads no settings, keeps no cookies, and never puts a token into a message or a log line.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from functools import lru_cache
from types import TracebackType
from urllib.parse import urljoin

import certifi

from cpo_app.addresses.resolver import SystemResolver
from cpo_app.ocpi.peer_client import metrics
from cpo_app.ocpi.peer_client.connection_pool import ConnectionPool
from cpo_app.ocpi.peer_client.exchange import READS, Exchange
from cpo_app.ocpi.peer_client.peer_answer import PeerAnswer, PeerUnusable
from cpo_app.ocpi.peer_client.peer_details import (
    PeerDetails,
    PeerVersion,
    parse_details,
    parse_versions,
)
from cpo_app.ocpi.peer_client.peer_headers import RoutingHeaders, request_headers
from cpo_app.ocpi.peer_client.peer_pages import (
    PeerPage,
    ResumeAt,
    items_of,
    next_by_offset,
    with_query,
)
from cpo_app.outgoing.guarded_network import GuardedBackend, Shown, nobody_asks, until
from cpo_app.outgoing.url_guard import PeerUrl, Resolver, UrlGuard, UrlRefused, same_place
from domain.exchanges.exchange import UNNAMED, Subject
from domain.exchanges.recorder import Recorder

__all__ = ["PeerAnswer", "PeerClient", "PeerUnusable", "RoutingHeaders"]

MAX_REDIRECTS = 3
_VERSIONS = Subject(module="versions")
MAX_OF_LIMIT = 2
"""A page may be this many times as long as was asked for: then it is no page any more."""
MAX_PAGES = 100_000
MAX_EMPTY_PAGES = 3


class PeerClient:
    """Sends requests to peers. Belongs to one event loop; close it with `aclose`.

    allow_private        development only: http and private addresses are let through
    connect_timeout_s    for resolving, connecting and for the TLS handshake, each
    read_timeout_s       longest silence of a peer in the middle of an exchange
    max_response_bytes   of a body, as received and as unpacked
    per_place            connections to one host and port; further requests wait their turn
    verify               an SSLContext, or the path of a CA bundle to trust alone; by default
                         the system's CAs and certifi's. Certificates are always checked.
    resolve              how names become addresses (a fake in tests)
    shown                hears which certificate a peer's server has shown
    recorder             is handed every exchange, each redirect of its own, once it has ended
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 10.0,
        max_response_bytes: int = 5_000_000,
        per_place: int = 16,
        verify: ssl.SSLContext | str | None = None,
        resolve: Resolver | None = None,
        shown: Shown = nobody_asks,
        recorder: Recorder | None = None,
    ) -> None:
        self._guard = UrlGuard(resolve or SystemResolver(), allow_private=allow_private)
        self._pool = ConnectionPool(
            GuardedBackend(self._guard, shown=shown), ssl_context(verify), per_place=per_place
        )
        self._exchange = Exchange(
            self._pool,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            max_response_bytes=max_response_bytes,
            recorder=recorder,
        )

    async def __aenter__(self) -> PeerClient:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the kept-alive connections."""
        await self._pool.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        token: str,
        raw_token: bool = False,
        body: bytes | None = None,
        routing: RoutingHeaders | None = None,
        correlation_id: str | None = None,
        request_id: str | None = None,
        timeout_s: float = 10.0,
        deadline: float | None = None,
        about: Subject = UNNAMED,
    ) -> PeerAnswer:
        """One request; the answer, whatever its status, once it is complete.

        token           the credentials token, plain; sent in Base64 unless raw_token (a quirk of
                        older peers)
        body            JSON bytes, or None for no body
        correlation_id  that of the request which led to this one; by default a new one
        request_id      by default a new one; a write that is repeated because its outcome is not
                        known bears that of before, by which the peer can tell
        timeout_s       for everything together, redirects included
        deadline        in addition, an instant of time.monotonic() to end by
        about           whom and what it concerns, for those who look for it later

        Raises PeerUnusable for what went wrong on the way (see there for `sent`), ValueError
        for an argument that cannot stand in a header. A read is repeated once if a kept-alive
        connection turns out to be dead; a write never is.
        """
        ends = time.monotonic() + timeout_s
        ends = ends if deadline is None else min(ends, deadline)
        if ends <= time.monotonic():
            raise PeerUnusable("the deadline has passed", "timeout", sent=False)
        headers, secrets = request_headers(
            token,
            raw_token=raw_token,
            correlation_id=correlation_id,
            routing=routing,
            body=body,
            request_id=request_id,
        )
        with metrics.counted(about) as asked, until(ends):
            target = self._checked(url)
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._exchange.run(method, target, headers, body, secrets, about)
                following = self._redirect(method, target, answer)
                if following is None:
                    asked.answer = answer
                    return answer
                target = following
        raise PeerUnusable("the peer redirects in circles", "redirect", sent=False)

    async def pages(
        self,
        url: str,
        *,
        token: str,
        raw_token: bool = False,
        routing: RoutingHeaders | None = None,
        correlation_id: str | None = None,
        limit: int | None = None,
        resume: ResumeAt | None = None,
        timeout_s: float = 10.0,
        about: Subject = UNNAMED,
    ) -> AsyncIterator[PeerPage]:
        """The pages of a list, by following `Link: rel="next"`, empty ones too.

        limit       page size to ask for; never more than the X-Limit that the peer states
        resume      the page to go on with, of a list that was read in part before
        timeout_s   for each page

        Next pages are fetched verbatim, from the same host and port only. A peer that states
        X-Total-Count but forgets the Link is asked on by offset. Raises PeerUnusable, also for
        pages that go round in circles or never end, and for one longer than twice `limit`.
        """
        first = self._checked(url)
        current: str | None = url if limit is None else with_query(url, limit=limit)
        number = received = empty = 0
        if resume is not None:
            current, number, received = resume.url, resume.pages, resume.received
        seen: set[str] = set()
        while current is not None:
            if current in seen or number >= MAX_PAGES or empty > MAX_EMPTY_PAGES:
                raise _endless()
            seen.add(current)
            if not same_place(first, self._checked(current)):
                raise PeerUnusable("the next page is at another host", "refused_url", sent=False)
            answer = await self.request(
                "GET",
                current,
                token=token,
                raw_token=raw_token,
                routing=routing,
                correlation_id=correlation_id,
                timeout_s=timeout_s,
                about=about,
            )
            items = items_of(answer)
            if limit is not None and len(items) > MAX_OF_LIMIT * limit:
                raise PeerUnusable(
                    f"the peer's page holds {len(items)} objects, {limit} were asked for",
                    "too_large",
                    sent=True,
                )
            number += 1
            received += len(items)
            empty = 0 if items else empty + 1
            current = answer.next_url or next_by_offset(
                url, answer, page_length=len(items), received=received, limit=limit
            )
            yield PeerPage(items, current)

    async def versions_of(
        self, url: str, token: str, *, raw_token: bool = False, timeout_s: float = 10.0
    ) -> list[PeerVersion]:
        """The versions that a peer offers (GET versions). Raises PeerUnusable."""
        answer = await self.request(
            "GET",
            url,
            token=token,
            raw_token=raw_token,
            timeout_s=timeout_s,
            about=_VERSIONS,
        )
        return parse_versions(answer.data())

    async def details_of(
        self, url: str, token: str, *, raw_token: bool = False, timeout_s: float = 10.0
    ) -> PeerDetails:
        """The endpoints of one version (GET version details). Raises PeerUnusable."""
        answer = await self.request(
            "GET",
            url,
            token=token,
            raw_token=raw_token,
            timeout_s=timeout_s,
            about=_VERSIONS,
        )
        return parse_details(answer.data())

    def _checked(self, url: str) -> PeerUrl:
        try:
            return self._guard.check(url)
        except UrlRefused as exc:
            raise PeerUnusable(str(exc), "refused_url", sent=False) from None

    def _redirect(self, method: str, asked: PeerUrl, answer: PeerAnswer) -> PeerUrl | None:
        """Where to ask next, or None if this is the answer.

        A write is only repeated for 307 and 308: the others would turn it into a GET, whose
        success would look like the write's.
        """
        followed = (301, 302, 303, 307, 308) if method in READS else (307, 308)
        location = answer.headers.get("location")
        if answer.http_status not in followed or not location:
            return None
        try:
            target = self._guard.check(urljoin(str(asked), location.strip()))
        except ValueError as exc:
            reason = str(exc) if isinstance(exc, UrlRefused) else "the URL is malformed"
            raise PeerUnusable(f"refused redirect: {reason}", "redirect", sent=False) from None
        if not same_place(asked, target):
            raise PeerUnusable("the peer redirects to another host", "redirect", sent=False)
        return target


def _endless() -> PeerUnusable:
    return PeerUnusable("the peer's pages have no end", "not_ocpi", sent=True)


def ssl_context(verify: ssl.SSLContext | str | None) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        return ssl.create_default_context(cafile=verify)
    return _usual_context()


@lru_cache(maxsize=1)
def _usual_context() -> ssl.SSLContext:
    """One for all clients of a process: reading hundreds of CAs takes some 50 ms."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    return context
