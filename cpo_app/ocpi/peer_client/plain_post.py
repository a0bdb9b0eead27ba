"""A POST to a URL of the operator's own, through the same guard as peers' URLs: no OCPI, no token,
no redirects, and every answer within its time and size.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from cpo_app.addresses.resolver import SystemResolver
from cpo_app.ocpi.peer_client.client import ssl_context
from cpo_app.ocpi.peer_client.connection_pool import ConnectionPool
from cpo_app.ocpi.peer_client.exchange import Exchange
from cpo_app.ocpi.peer_client.peer_answer import PeerUnusable
from cpo_app.outgoing.guarded_network import GuardedBackend, until
from cpo_app.outgoing.url_guard import UrlGuard, UrlRefused

WITHIN_S = 8.0
MAX_ANSWER_BYTES = 100_000


class PlainPost:
    """Belongs to one event loop; close it with `aclose`. `allow_private`: http and private
    addresses, too."""

    def __init__(self, *, allow_private: bool, within_s: float = WITHIN_S) -> None:
        self._guard = UrlGuard(SystemResolver(), allow_private=allow_private)
        self._pool = ConnectionPool(GuardedBackend(self._guard), ssl_context(None), per_place=4)
        self._within_s = within_s
        self._exchange = Exchange(
            self._pool,
            connect_timeout_s=within_s,
            read_timeout_s=within_s,
            max_response_bytes=MAX_ANSWER_BYTES,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. Raises PeerUnusable."""
        try:
            target = self._guard.check(url)
        except UrlRefused as error:
            raise PeerUnusable(str(error), "refused_url", sent=False) from None
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        sent.append((b"content-length", str(len(body)).encode()))
        with until(time.monotonic() + self._within_s):
            answer = await self._exchange.run("POST", target, sent, body, ())
        return answer.http_status

    async def aclose(self) -> None:
        await self._pool.aclose()
