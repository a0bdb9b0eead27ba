"""What is counted for Prometheus, in the form of OTLP: the same names, labels and buckets.

Counters and histograms count from the start of the process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import REGISTRY
from prometheus_client.core import Metric as Family

logger = logging.getLogger("cpo.otlp")

_CUMULATIVE = AggregationTemporality.CUMULATIVE


class SentMetrics:
    """A thread that sends this process's metrics every so often."""

    def __init__(
        self, resource: Resource, send: Callable[[MetricsData], object], every_s: float
    ) -> None:
        self._resource, self._send, self._every_s = resource, send, every_s
        self._begun_ns = time.time_ns()
        self._ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="otlp-metrics", daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            self.once()

    def once(self) -> None:
        try:
            self._send(as_otlp(REGISTRY.collect(), self._resource, self._begun_ns, time.time_ns()))
        except Exception:  # the thread must not die of one family that is new to it
            logger.exception("metrics could not be sent over OTLP")


def as_otlp(
    families: Iterable[Family], resource: Resource, begun_ns: int, now_ns: int
) -> MetricsData:
    metrics = [one for family in families if (one := _metric(family, begun_ns, now_ns))]
    scope = ScopeMetrics(InstrumentationScope("cpo"), metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _metric(family: Family, begun_ns: int, now_ns: int) -> Metric | None:
    data: Sum | Gauge | Histogram
    if family.type == "counter":
        points = _numbers(family, f"{family.name}_total", begun_ns, now_ns)
        data = Sum(points, _CUMULATIVE, is_monotonic=True)
    elif family.type in ("gauge", "unknown", "info"):
        name = f"{family.name}_info" if family.type == "info" else family.name
        data = Gauge(_numbers(family, name, begun_ns, now_ns))
    elif family.type == "histogram":
        data = Histogram([*_histograms(family, begun_ns, now_ns)], _CUMULATIVE)
    else:
        return None  # no other kind is counted here
    return Metric(family.name, family.documentation, "", data) if data.data_points else None


def _numbers(family: Family, name: str, begun_ns: int, now_ns: int) -> list[NumberDataPoint]:
    return [
        NumberDataPoint(dict(sample.labels), begun_ns, now_ns, sample.value)
        for sample in family.samples
        if sample.name == name
    ]


def _histograms(family: Family, begun_ns: int, now_ns: int) -> Iterator[HistogramDataPoint]:
    upto: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in family.samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        if sample.name == f"{family.name}_bucket":
            upto.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
        elif sample.name == f"{family.name}_sum":
            sums[labels] = sample.value
    for labels, buckets in upto.items():
        buckets.sort()
        counts = [int(after - before) for (_, before), (_, after) in pairwise([(0, 0), *buckets])]
        bounds = [bound for bound, _ in buckets if bound != inf]
        yield HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=begun_ns,
            time_unix_nano=now_ns,
            count=int(buckets[-1][1]),
            sum=sums.get(labels, 0.0),
            bucket_counts=counts,
            explicit_bounds=bounds,
            min=-inf,
            max=inf,
        )
