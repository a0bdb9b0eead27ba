"""Which metrics there are, with their labels, as Prometheus knows them: out of the code that
declares them and out of a snapshot of a store, not out of a list that somebody keeps.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import Metric

import cpo_app.main
import cpo_app.ocpp_process
import cpo_app.registry.app
from cpo_app.exposition import build_info
from cpo_app.operator.metrics import of_store
from db_interface.database import Database
from domain.operator.snapshot import snapshot

# Whoever counts anything is imported with these, which are what runs.
SERVERS = (cpo_app.main, cpo_app.ocpp_process, cpo_app.registry.app)


def counted() -> dict[str, frozenset[str]]:
    """{sample name: labels} of what processes count."""
    found: dict[str, frozenset[str]] = {}
    for collector in list(REGISTRY._collector_to_names):
        if isinstance(collector, Counter | Histogram) and collector._name.startswith("cpo_"):
            labels = frozenset(collector._labelnames)
            if isinstance(collector, Counter):
                found[f"{collector._name}_total"] = labels
                continue
            found[f"{collector._name}_bucket"] = labels | {"le"}
            found |= dict.fromkeys((f"{collector._name}_sum", f"{collector._name}_count"), labels)
    return found


async def gathered(db: Database) -> dict[str, frozenset[str]]:
    """{sample name: labels} of what is read from the store at each scrape."""

    def all_of() -> Iterator[Metric]:
        yield from of_store(state, db.now())
        yield build_info()

    state = await snapshot(db)
    return {family.name: frozenset(getattr(family, "_labelnames", ())) for family in all_of()}


async def exposed(db: Database) -> dict[str, frozenset[str]]:
    return {**counted(), **await gathered(db)}
