"""Sending to an OpenTelemetry collector: the one module that loads OpenTelemetry's SDK.

What cannot be sent is dropped: a collector that is slow or away holds nobody up, and costs 2,048
spans of memory at most.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cpo_app.otlp import spans
from cpo_app.otlp.metrics import SentMetrics
from cpo_app.otlp.sending import Otlp

SEND_WITHIN_S = 5.0
_W3C = TraceContextTextMapPropagator()
_KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}


def begin(otlp: Otlp, service: str) -> Callable[[], None]:
    """Send what this process does as `service` ("cpo-serve", ...) until it ends, or what is
    returned is called."""
    resource = resource_of(service)
    exporter = OTLPSpanExporter(
        endpoint=f"{otlp.url}/v1/traces", headers=otlp.headers, timeout=SEND_WITHIN_S
    )
    sent = SentSpans(resource, otlp.share, BatchSpanProcessor(exporter))
    spans.use(sent)
    counted: SentMetrics | None = None
    if otlp.metrics_every_s:
        metrics = OTLPMetricExporter(
            endpoint=f"{otlp.url}/v1/metrics", headers=otlp.headers, timeout=SEND_WITHIN_S
        )
        counted = SentMetrics(resource, metrics.export, otlp.metrics_every_s)
        counted.start()

    def stop() -> None:
        spans.use(None)
        sent.provider.shutdown()
        if counted is not None:
            counted.stop()

    return stop


def resource_of(service: str) -> Resource:
    """Who tells. OTEL_RESOURCE_ATTRIBUTES adds to it, as everywhere."""
    return Resource.create(
        {
            "service.name": service,
            "service.namespace": "cpo",
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )


@dataclass
class _Sent:
    """A span as the rest of the house sees it."""

    span: OtelSpan
    context: Context

    def tell(self, name: str, value: spans.Value) -> None:
        self.span.set_attribute(name, value)

    def call(self, name: str) -> None:
        self.span.update_name(name)

    def fail(self, why: str) -> None:
        self.span.set_status(Status(StatusCode.ERROR, why))

    def headers(self) -> list[tuple[str, str]]:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, self.context)
        return list(carrier.items())


class SentSpans:
    """`share`: of the traces that are kept, 0 to 1, by the trace's id: the same ones in all
    processes, whatever a stranger's header asks for."""

    def __init__(self, resource: Resource, share: float, *processors: SpanProcessor) -> None:
        ratio = TraceIdRatioBased(share)
        self.provider = TracerProvider(
            sampler=ParentBased(ratio, remote_parent_sampled=ratio), resource=resource
        )
        for processor in processors:
            self.provider.add_span_processor(processor)
        self._tracer = self.provider.get_tracer("cpo")

    def begin(
        self, name: str, kind: str, attributes: Mapping[str, spans.Value], before: Mapping[str, str]
    ) -> spans.Span:
        parent = _W3C.extract(dict(before), Context())
        span = self._tracer.start_span(
            name,
            parent,
            _KINDS[kind],
            dict(attributes),
            record_exception=False,
            set_status_on_exception=False,
        )
        return _Sent(span, set_span_in_context(span, Context()))

    def end(self, span: spans.Span) -> None:
        assert isinstance(span, _Sent)  # noqa: S101 - of `begin`
        span.span.end()
