"""What EV_Central counts: once, and of what was committed alone. No id is among the labels."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import Counter, Histogram

from db_interface.transaction import Tx

COMMANDS = Counter(
    "cpo_commands",
    "Commands that came to a result, ours to charge points among them (INNER_...).",
    ["kind", "result"],
)
TELEMETRY_LAG_S = Histogram(
    "cpo_telemetry_lag_seconds",
    "How old the newest message of each batch was when it was kept.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600),
)


def decided(tx: Tx, kind: str, result: object) -> None:
    """`result`: a word of OCPI's CommandResultType or ChargingProfileResultType; None: that kind
    has none."""
    tx.once_committed(COMMANDS.labels(kind, str(result or "none")).inc)


def kept(tx: Tx, newest: datetime) -> None:
    """A batch of telemetry, whose newest message tells of that moment by our clock."""
    tx.once_committed(TELEMETRY_LAG_S.observe, max(0.0, (tx.now - newest).total_seconds()))
