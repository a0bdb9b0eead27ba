"""What a collector gets over HTTP, and that one which is away holds nobody up."""

from __future__ import annotations

import gzip
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from cpo_app.otlp import spans
from cpo_app.otlp.sending import send_over_otlp
from tests.settings_of import settings_of

GOT_WITHIN_S = 60


class Collector:
    def __init__(self) -> None:
        self.got: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        self.stops: Callable[[], None] = lambda: None
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.got.put((self.path, headers, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def next(self, path: str) -> tuple[dict[str, str], bytes]:
        while True:
            at, headers, body = self.got.get(timeout=GOT_WITHIN_S)
            if at == path:
                return headers, body


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    yield collector
    collector.stops()
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


def attributes_of(holder: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in holder.attributes}


def test_traces_and_metrics_arrive(collector: Collector) -> None:
    settings = settings_of(
        CPO_OTLP_URL=f"{collector.url}/",
        CPO_OTLP_HEADERS="X-Key=a%20key",
        CPO_OTLP_METRICS_S=0.2,
    )
    collector.stops = send_over_otlp(settings, "cpo-serve")
    with spans.span("GET /ocpi/versions", "server", {"http.request.method": "GET"}):
        pass

    headers, body = collector.next("/v1/traces")
    assert headers["x-key"] == "a key"
    (traced,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert attributes_of(traced.resource)["service.name"] == "cpo-serve"
    assert [span.name for span in traced.scope_spans[0].spans] == ["GET /ocpi/versions"]

    headers, body = collector.next("/v1/metrics")
    assert headers["x-key"] == "a key"
    (counted,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    assert attributes_of(counted.resource)["service.name"] == "cpo-serve"
    assert "process_cpu_seconds" in {metric.name for metric in counted.scope_metrics[0].metrics}


def test_without_a_url_nothing_begins() -> None:
    send_over_otlp(settings_of(), "cpo-serve")
    assert not spans.in_use()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"CPO_OTLP_URL": "collector:4318"}, "not the URL of a collector"),
        ({"CPO_OTLP_URL": "http://me:pw@collector"}, "CPO_OTLP_HEADERS"),
        ({"CPO_OTLP_HEADERS": "Authorization: Bearer s3cret"}, "header 1 is not name=value"),
        ({"CPO_OTLP_SHARE": 1.5}, "less than or equal to 1"),
    ],
)
def test_what_cannot_be_used_is_refused_without_its_secret(
    changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as refusal:
        settings_of(**changed)
    assert "s3cret" not in str(refusal.value)
