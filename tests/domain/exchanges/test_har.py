"""An export is an HTTP Archive as HAR 1.2 has it: every field that it demands is there."""

from __future__ import annotations

from typing import Any

from domain.exchanges.exchange import Direction
from domain.exchanges.har import har_of
from domain.times import parse_datetime
from tests.domain.exchanges.samples import document

FIELDS: dict[str, type | tuple[type, ...]] = {
    "startedDateTime": str,
    "time": (int, float),
    "request": dict,
    "response": dict,
    "cache": dict,
    "timings": dict,
}
"""http://www.softwareishard.com/blog/har-12-spec: what is not optional, and its type."""
REQUEST: dict[str, type | tuple[type, ...]] = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "queryString": list,
    "headersSize": int,
    "bodySize": int,
}
RESPONSE: dict[str, type | tuple[type, ...]] = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": list,
    "headers": list,
    "content": dict,
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
OPTIONAL = {"postData", "comment"}


def is_as(fields: dict[str, type | tuple[type, ...]], given: dict[str, Any]) -> None:
    for name, kind in fields.items():
        assert isinstance(given[name], kind), name
    further = {name for name in given if name not in fields and name not in OPTIONAL}
    assert all(name.startswith("_") for name in further), further


def test_an_export_is_a_valid_archive() -> None:
    asked = document(
        method="PUT",
        url="/ocpi/cpo/2.2.1/tokens/NL/TNM/CARD-000001?type=RFID",
        request={"valid": True},
        request_headers=[(b"content-type", b"application/json")],
        response_headers=[(b"content-type", b"application/json"), (b"x-limit", b"50")],
    )
    told = document(
        direction=Direction.OUT,
        url="https://peer.example/r/sessions?offset=5&limit=2",
        status=None,
        response=b"",
        error="the peer cannot be reached",
    )
    log = har_of([asked, told], base_url="https://cpo.example")["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    for entry in log["entries"]:
        is_as(FIELDS, entry)
        is_as(REQUEST, entry["request"])
        is_as(RESPONSE, entry["response"])
        assert parse_datetime(entry["startedDateTime"])
        assert set(entry["timings"]) >= {"send", "wait", "receive"}
        assert set(entry["response"]["content"]) >= {"size", "mimeType"}
        for pair in (*entry["request"]["headers"], *entry["request"]["queryString"]):
            assert set(pair) == {"name", "value"}
    first, second = log["entries"]
    assert first["request"]["url"].startswith("https://cpo.example/ocpi/cpo/2.2.1/tokens/NL/TNM/")
    assert first["request"]["postData"]["text"] == '{"valid":true}'
    assert first["request"]["postData"]["mimeType"] == "application/json"
    assert {"name": "x-limit", "value": "50"} in first["response"]["headers"]
    assert first["_correlationId"] == "correlation-1"
    assert second["response"]["status"] == 0
    assert second["_error"] == "the peer cannot be reached"
    assert second["request"]["queryString"] == [
        {"name": "offset", "value": "5"},
        {"name": "limit", "value": "2"},
    ]
