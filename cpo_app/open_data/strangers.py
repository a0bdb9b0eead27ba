"""What a stranger may have of one process: of an address so many requests a minute, its share of
the places in work, and a download that ends.

A stranger is an address; of IPv6 the network that one party has.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from prometheus_client import Counter
from starlette.types import Scope

from auth.throttle import network_of
from cpo_app.shares import Buckets, Shares
from domain.errors import TooManyRequests

AT_ONCE = 4
"""Requests of one address in work; more wait for these."""
PLACES = 32
"""Of all addresses."""
MAX_DOWNLOAD_S = 120.0
"""Who reads slower than a whole file in that time is cut off: he holds a place, and memory."""

_REFUSED = Counter(
    "cpo_open_data_refused_total",
    "Requests for open data answered 429, by reason",
    ["reason"],
)


class Strangers:
    def __init__(self, per_minute: int) -> None:
        self._buckets = Buckets(per_minute, refused=refused)
        self._shares = Shares(AT_ONCE, PLACES, refused=refused)

    def admitted(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        """While the block runs the request is in work. Raises TooManyRequests."""
        address = network_of((scope.get("client") or ("",))[0])
        self._buckets.take(address)
        return self._shares.place(address)


def refused(_address: str, reason: str, retry_after_s: int) -> TooManyRequests:
    _REFUSED.labels(reason.replace(" ", "_")).inc()
    return TooManyRequests(f"too many requests {reason}", retry_after_s)
