"""What the push counts, for /metrics; peers by their id, never a token or a URL."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

DELIVERED = Counter("cpo_push_delivered", "Objects that peers took.", ["peer", "module"])
FAILED = Counter(
    "cpo_push_failed", "Attempts in vain, by what failed (peer, object).", ["peer", "module", "of"]
)
LATENCY = Histogram(
    "cpo_push_latency_seconds",
    "From an object's latest change to the peer's answer.",
    ["module"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300, 3600),
)
BACKLOG = Gauge("cpo_push_backlog", "Objects that a peer has not seen as they are.", ["peer"])
SHUT_OUT = Gauge("cpo_push_breaker_open", "1 while nothing is sent to the peer.", ["peer"])


def show_backlogs(backlogs: dict[str, int]) -> None:
    """The present backlogs; peers without one are shown with none."""
    BACKLOG.clear()
    for peer_id, number in backlogs.items():
        BACKLOG.labels(peer_id).set(number)
