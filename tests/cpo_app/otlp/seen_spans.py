"""Spans that a test looks at, in place of a collector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cpo_app.otlp import spans
from cpo_app.otlp.collector import SentSpans

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"


class SeenSpans:
    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()

    @contextmanager
    def kept(self, share: float = 1.0) -> Iterator[None]:
        spans.use(SentSpans(Resource({}), share, SimpleSpanProcessor(self._exporter)))
        try:
            yield
        finally:
            spans.use(None)

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        """In the order of their ends."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        (found,) = (span for span in self.ended if span.name == name)
        return found


def trace_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


def parent_of(span: ReadableSpan) -> str:
    return "" if span.parent is None else f"{span.parent.span_id:016x}"
