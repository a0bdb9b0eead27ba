"""What the push of this process counts, for /metrics; peers by their id, never a token or a URL.

Backlogs and pauses are not here: they are read from the store (domain/operator/push_states.py).
"""

from __future__ import annotations

from prometheus_client import Counter, Histogram

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
