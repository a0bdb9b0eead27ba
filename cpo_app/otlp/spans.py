"""Spans of what this process does; where no collector is named they cost a comparison.

Which trace one is in is known as an id that is bound (domain/trace.py), in the form of W3C's
header: `traceparent`. So it goes wherever ids go: into tasks, log lines and requests to others, and
with a command's document to the process that carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from domain.trace import TRACEPARENT, TRACESTATE, bound, bound_id

Value = str | int | float | bool


class Span(Protocol):
    """A piece of work that is under way."""

    def tell(self, name: str, value: Value) -> None:
        """An attribute, under OpenTelemetry's name for it where there is one."""

    def call(self, name: str) -> None:
        """Its name, once that is known better than at its beginning."""

    def fail(self, why: str) -> None:
        """It came to nothing; `why` holds nothing secret."""

    def headers(self) -> list[tuple[str, str]]:
        """By which the next one knows the trace that it is in."""


class Spans(Protocol):
    """Where spans begin and end (otlp/collector.py)."""

    def begin(
        self, name: str, kind: str, attributes: Mapping[str, Value], before: Mapping[str, str]
    ) -> Span:
        """`before`: the headers of the trace that it belongs to, whoever wrote them."""

    def end(self, span: Span) -> None: ...


class _NoSpan:
    def tell(self, name: str, value: Value) -> None:
        pass

    def call(self, name: str) -> None:
        pass

    def fail(self, why: str) -> None:
        pass

    def headers(self) -> list[tuple[str, str]]:
        return []


_NONE: AbstractContextManager[Span] = nullcontext(_NoSpan())
_spans: Spans | None = None


def use(spans: Spans | None) -> None:
    """All spans of this process begin there from now on."""
    global _spans
    _spans = spans


def in_use() -> bool:
    return _spans is not None


def span(
    name: str, kind: str, attributes: Mapping[str, Value], before: Mapping[str, str] | None = None
) -> AbstractContextManager[Span]:
    """The block as a span below that which is bound, or of a caller's headers (`before`), which
    may be anything: only what was made of them is bound. `kind`: server, client or internal. An
    exception that leaves it ends it as failed, by the exception's name alone."""
    return _NONE if _spans is None else _span(_spans, name, kind, attributes, before)


@contextmanager
def _span(
    spans: Spans,
    name: str,
    kind: str,
    attributes: Mapping[str, Value],
    before: Mapping[str, str] | None,
) -> Iterator[Span]:
    if before is None:
        before = {name: id_ for name in (TRACEPARENT, TRACESTATE) if (id_ := bound_id(name))}
    begun = spans.begin(name, kind, attributes, before)
    try:
        with bound(**dict(begun.headers())):
            yield begun
    except BaseException as error:
        begun.fail(type(error).__name__)
        raise
    finally:
        spans.end(begun)
