"""Prometheus' families as OTLP's metrics."""

from __future__ import annotations

from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.resources import Resource
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from cpo_app.exchange_recording import EXCHANGES
from cpo_app.otlp.metrics import as_otlp


def sent(registry: Any) -> dict[str, Any]:
    """By name, as a collector reads them off the wire."""
    message = encode_metrics(as_otlp(registry.collect(), Resource({}), 1, 2))
    (resource,) = message.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def labels_of(point: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in point.attributes}


def test_counters_gauges_and_histograms() -> None:
    registry = CollectorRegistry()
    counter = Counter("asked", "How often.", ["by"], registry=registry)
    counter.labels("peer").inc(3)
    Gauge("waiting", "How many.", registry=registry).set(7)
    took = Histogram("took_seconds", "How long.", ["at"], registry=registry, buckets=(0.1, 1))
    for seconds in (0.05, 0.5, 0.6, 4):
        took.labels("store").observe(seconds)

    metrics = sent(registry)
    assert set(metrics) == {"asked", "waiting", "took_seconds"}
    (asked,) = metrics["asked"].sum.data_points
    assert metrics["asked"].sum.is_monotonic
    assert (asked.as_double, labels_of(asked)) == (3, {"by": "peer"})
    assert (asked.start_time_unix_nano, asked.time_unix_nano) == (1, 2)
    (waiting,) = metrics["waiting"].gauge.data_points
    assert waiting.as_double == 7
    (stored,) = metrics["took_seconds"].histogram.data_points
    assert [*stored.explicit_bounds] == [0.1, 1]
    assert [*stored.bucket_counts] == [1, 2, 1]
    assert (stored.count, stored.sum, labels_of(stored)) == (4, 5.15, {"at": "store"})


def test_all_that_this_process_counts_can_be_sent() -> None:
    EXCHANGES.labels("kept").inc()
    assert set(sent(REGISTRY)) == {f.name for f in REGISTRY.collect() if f.samples}
