"""What each peer may have of one process (cpo_app/shares.py), and what it is told where it wants
more. None holds more than a quarter of the places.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager

from prometheus_client import Counter

from cpo_app.shares import Buckets, Shares
from domain.errors import TooManyRequests

logger = logging.getLogger("cpo.ocpi")

PLACES_PER_PEER = 4
"""So many times what one peer may have at most."""
MAX_HANDSHAKES = 2
"""Of one peer at once: each may wait for that peer's own servers."""

_REFUSED = Counter(
    "cpo_peer_requests_refused_total",
    "OCPI requests answered 429 to known peers, by reason",
    ["reason"],
)


class PeerLimits:
    """Both, for the gate."""

    def __init__(self, at_once: int, per_minute: int) -> None:
        self._buckets = Buckets(per_minute, refused=refused)
        places = at_once * PLACES_PER_PEER
        self._shares = Shares(at_once, places, refused=refused)
        self._handshakes = Shares(MAX_HANDSHAKES, places, refused=refused)

    def admitted(self, peer_id: str, module: str) -> AbstractAsyncContextManager[None]:
        """While the block runs the peer's request is in work. Raises TooManyRequests."""
        self._buckets.take(peer_id)
        shares = self._handshakes if module == "credentials" else self._shares
        return shares.place(peer_id)


def refused(peer_id: str, reason: str, retry_after_s: int) -> TooManyRequests:
    """The answer to a peer that wants more than it may have; counted, and told to the operator."""
    _REFUSED.labels(reason).inc()
    logger.warning("peer %s: too many requests %s", peer_id, reason)
    return TooManyRequests(f"Too many requests {reason}", retry_after_s)
