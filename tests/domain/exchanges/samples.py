"""Exchanges as whoever carries them hands them over."""

from __future__ import annotations

from typing import Any

import orjson

from domain.exchanges.document import Bounds, Maker
from domain.exchanges.exchange import Content, Direction, Exchange, Seen, Subject
from tests.clock import Clock


def content(data: object) -> Content:
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    return Content(body, len(body))


def seen(**facts: Any) -> Seen:
    """A peer that PUTs a token, unless it is said otherwise; bodies as data."""
    given = {
        "direction": Direction.IN,
        "method": "GET",
        "url": "/ocpi/cpo/2.2.1/sessions?offset=0&limit=2",
        "request_headers": [],
        "request": b"",
        "status": 200,
        "response_headers": [],
        "response": {"status_code": 1000, "timestamp": "2025-05-01T12:00:00Z"},
        "took_s": 0.0125,
        "subject": Subject("peer-1", None, "2.2.1"),
        "request_id": "request-1",
        "correlation_id": "correlation-1",
        **facts,
    }
    for name in ("request", "response"):
        if not isinstance(given[name], Content):
            given[name] = content(given[name])
    return Seen(**given)


def digest(card: str) -> str:
    return f"digest-of-{card[-1]}"


def document(body: int = 16_000, page: int = 1_000, **facts: Any) -> Exchange:
    """Of what is kept of such an exchange."""
    return Maker(Bounds(body, page), digest).document(seen(**facts), Clock().now())
