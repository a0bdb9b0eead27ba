"""What the sender of this process counts, for /metrics. What waits is read from the store."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

SENT = Counter("cpo_events_sent", "Events that the brokers took, by kind.", ["kind"])
FAILED = Counter("cpo_events_failed", "Events that they did not take, by kind.", ["kind"])
LATENCY = Histogram(
    "cpo_events_latency_seconds",
    "From an object's latest change to the brokers' acknowledgement.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300, 3600),
)
