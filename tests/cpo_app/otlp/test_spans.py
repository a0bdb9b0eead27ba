"""Which trace a span belongs to, and what it says."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.trace import StatusCode

from cpo_app.log_ids import AddIds
from cpo_app.otlp.spans import in_use, span
from domain.trace import bound, bound_ids
from tests.cpo_app.otlp.seen_spans import (
    PARENT_ID,
    TRACE_ID,
    TRACEPARENT,
    SeenSpans,
    parent_of,
    trace_of,
)


def test_a_span_is_below_the_one_that_is_bound_and_tells_the_next(seen: SeenSpans) -> None:
    with (
        bound(traceparent=TRACEPARENT, tracestate="them=1"),
        span("outer", "server", {"one": 1}),
        span("inner", "client", {}) as inner,
    ):
        headers = dict(inner.headers())
    outer, ended = seen.named("outer"), seen.named("inner")
    assert (trace_of(outer), parent_of(outer)) == (TRACE_ID, PARENT_ID)
    assert (trace_of(ended), parent_of(ended)) == (TRACE_ID, f"{outer.context.span_id:016x}")
    assert headers == {
        "traceparent": f"00-{TRACE_ID}-{ended.context.span_id:016x}-01",
        "tracestate": "them=1",
    }
    assert outer.attributes == {"one": 1}


@pytest.mark.parametrize("given", [None, "", "00-zz-00-01", "x" * 300])
def test_without_one_that_can_be_read_a_trace_begins(seen: SeenSpans, given: str | None) -> None:
    with bound(traceparent=given), span("first", "internal", {}):
        pass
    assert parent_of(seen.named("first")) == ""


def test_what_a_caller_wrote_is_never_bound_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    # OpenTelemetry's own switch: no span is made, and none has a header.
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    record = logging.makeLogRecord({})
    with (
        SeenSpans().kept(),
        span("x", "server", {}, before={"traceparent": "x", "tracestate": "y"}),
    ):
        assert bound_ids() == {}
        AddIds().filter(record)
    assert record.__dict__["ids"] == {}


def test_what_breaks_off_ends_as_failed_without_its_message(seen: SeenSpans) -> None:
    with pytest.raises(ValueError, match="secret"), span("broken", "internal", {}):
        raise ValueError("a secret")
    status = seen.named("broken").status
    assert (status.status_code, status.description) == (StatusCode.ERROR, "ValueError")
    assert not seen.named("broken").events


def test_a_share_is_kept_whatever_a_header_asks_for() -> None:
    none = SeenSpans()
    with none.kept(share=0.0), bound(traceparent=TRACEPARENT), span("x", "server", {}) as one:
        headers = dict(one.headers())
    assert none.ended == ()
    assert headers["traceparent"].endswith("-00")  # the next one need not keep it either
    assert TRACE_ID in headers["traceparent"]


def test_log_lines_bear_the_trace(seen: SeenSpans) -> None:
    record = logging.makeLogRecord({})
    with bound(cp_id="CP-1", traceparent=TRACEPARENT, tracestate="them=1"):
        AddIds().filter(record)
    assert record.__dict__["ids"] == {"cp_id": "CP-1", "trace_id": TRACE_ID}


def test_without_a_collector_there_is_nothing() -> None:
    assert not in_use()
    with span("x", "server", {}) as nothing:
        nothing.tell("a", 1)
        nothing.call("b")
        nothing.fail("c")
        assert nothing.headers() == []
        assert bound_ids() == {}
