"""Exchanges as an HTTP Archive (HAR 1.2), which browsers and a partner's tools read. Pure.

What was left out of an exchange is left out here, and what there is no place for stands in fields
that begin with an underscore, as HAR has it for further ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import parse_qsl, urlsplit

from db_interface.json_data import JsonObject
from domain.exchanges.exchange import Direction, Exchange, Part
from domain.exchanges.listing import headers_of
from domain.times import format_datetime

VERSION = "1.2"
_HTTP = "HTTP/1.1"
UNKNOWN = -1
"""HAR's word for a size or time that is not known."""


def har_of(exchanges: Iterable[Exchange], *, base_url: str) -> JsonObject:
    """An archive of them, in their order. `base_url`: where peers reach us, in front of the paths
    that they have asked for."""
    return {
        "log": {
            "version": VERSION,
            "creator": {"name": "ocpi-cpo-backend", "version": _own_version()},
            "entries": [_entry(exchange, base_url) for exchange in exchanges],
        }
    }


@cache
def _own_version() -> str:
    try:
        return version("ocpi-cpo-backend")
    except PackageNotFoundError:
        return "unknown"


def _entry(exchange: Exchange, base_url: str) -> JsonObject:
    took_ms = exchange["took_ms"]
    comment = "asked by the peer" if exchange["direction"] == Direction.IN.value else "asked by us"
    return {
        "startedDateTime": format_datetime(exchange["at"]),
        "time": took_ms,
        "request": _request(exchange, base_url),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": took_ms, "receive": 0},
        "comment": comment,
        "_direction": exchange["direction"],
        "_peer": exchange.get("peer_id"),
        "_ocpiModule": exchange["module"],
        "_ocpiVersion": exchange.get("version"),
        "_ocpiStatus": exchange.get("ocpi_status"),
        "_requestId": exchange.get("request_id"),
        "_correlationId": exchange.get("correlation_id"),
        "_error": exchange.get("error"),
    }


def _request(exchange: Exchange, base_url: str) -> JsonObject:
    part = exchange.get("request", {})
    url = exchange["url"]
    url = f"{base_url}{url}" if exchange["direction"] == Direction.IN.value else url
    request: JsonObject = {
        "method": exchange["method"],
        "url": url,
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(part),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
        ],
        "headersSize": UNKNOWN,
        "bodySize": part.get("size", 0),
    }
    if part.get("body") is not None:
        request["postData"] = {
            "mimeType": _header(part, "content-type"),
            "text": part["body"],
            "params": [],
            **_comment(part),
        }
    return request


def _response(exchange: Exchange) -> JsonObject:
    part, status = exchange.get("response", {}), exchange.get("status") or 0
    return {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _headers(part),
        "content": {
            "size": part.get("size", 0),
            "mimeType": _header(part, "content-type"),
            "text": part.get("body") or "",
            **_comment(part),
        },
        "redirectURL": _header(part, "location"),
        "headersSize": UNKNOWN,
        "bodySize": part.get("size", 0),
    }


def _headers(part: Part) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in headers_of(part)]


def _header(part: Part, wanted: str) -> str:
    return next((value for name, value in headers_of(part) if name.lower() == wanted), "")


def _comment(part: Part) -> JsonObject:
    return {"comment": "kept in part only"} if part.get("cut") else {}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
