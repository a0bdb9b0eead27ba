"""`/metrics` of a server as bytes: what was gathered for this scrape, and what was counted.

Counters are a process's own, or, where several workers share a port (PROMETHEUS_MULTIPROC_DIR),
the sum of all of them. A series of a peer that has gone is left out: workers cannot take each
other's series away, and so it is done where they are shown.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from domain.exchanges.exchange import NO_PEER

SHARED_BY_WORKERS = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own name: the folder in which workers keep what they count."""


def exposed(
    accept: str, gathered: Iterable[Metric] = (), *, peers: Collection[str] | None = None
) -> tuple[bytes, str]:
    """(body, Content-Type), in the format that the scraper asks for. `peers`: the ids of those
    that there are; None: not known, and none is left out."""
    # A series more for each counter, which nobody asks for: when it was first counted.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    registry.register(_Gathered([*gathered, build_info()]))
    registry.register(_Counted(peers))
    encode, content_type = choose_encoder(accept)
    body: bytes = encode(registry)
    return body, content_type


class _Gathered:
    """Metrics that were gathered already, as prometheus_client takes them."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


class _Counted:
    """What this process counted, or all workers of this port."""

    def __init__(self, peers: Collection[str] | None) -> None:
        self._peers = None if peers is None else {*peers, NO_PEER}

    def describe(self) -> Iterator[Metric]:
        """Said when it is registered, for which nothing is to be counted through."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        for metric in _counted():
            if self._peers is not None:
                metric.samples = [
                    sample
                    for sample in metric.samples
                    if sample.labels.get("peer", NO_PEER) in self._peers
                ]
            yield metric


def _counted() -> Iterable[Metric]:
    if SHARED_BY_WORKERS not in os.environ:
        return REGISTRY.collect()
    found: Iterable[Metric] = MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]
    return found


@cache
def build_info() -> Metric:
    try:
        ours = version("ocpi-cpo-backend")
    except PackageNotFoundError:
        ours = "unknown"
    family = GaugeMetricFamily(
        "cpo_build_info",
        "1; the labels say what runs.",
        labels=("version", "ocpi_library", "python"),
    )
    family.add_metric((ours, version("extrawest-ocpi"), platform.python_version()), 1)
    return family
