"""The headers of a request to a peer (transport_and_format: authorization, message ids, routing).

Pure. It never logs or raises one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from auth.credentials_header import encoded

Headers = list[tuple[bytes, bytes]]
REQUEST_ID = "X-Request-ID"


@dataclass(frozen=True)
class RoutingHeaders:
    """The four headers of functional modules (transport_and_format "Message Routing"). The
    `to` pair is left out of an Open Routing Request."""

    from_country_code: str
    from_party_id: str
    to_country_code: str | None = None
    to_party_id: str | None = None

    def items(self) -> list[tuple[str, str]]:
        """Header names and values; what is None is left out."""
        pairs = [
            ("OCPI-from-country-code", self.from_country_code),
            ("OCPI-from-party-id", self.from_party_id),
            ("OCPI-to-country-code", self.to_country_code),
            ("OCPI-to-party-id", self.to_party_id),
        ]
        return [(name, value) for name, value in pairs if value is not None]


def request_headers(
    token: str,
    *,
    raw_token: bool,
    correlation_id: str | None,
    routing: RoutingHeaders | None,
    body: bytes | None,
    request_id: str | None = None,
) -> tuple[Headers, tuple[str, ...]]:
    """The headers that are the same for every hop of a request, and the secrets in them.

    X-Request-ID is among them where it is given; else each hop gets its own (exchange.py).
    The token is sent in Base64 (RFC 4648, section 4) unless `raw_token`, a quirk of peers from
    before 2.2-d2. Raises ValueError, without the value, for what cannot stand in a header.
    """
    in_base64 = encoded(token)
    named = [
        ("Authorization", f"Token {token}" if raw_token else in_base64),
        ("X-Correlation-ID", correlation_id or str(uuid.uuid4())),
        *([] if request_id is None else [(REQUEST_ID, request_id)]),
        *(routing.items() if routing else ()),
        ("User-Agent", "ocpi-cpo-backend"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
    ]
    if body is not None:
        named += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return [_line(name, value) for name, value in named], (token, in_base64.removeprefix("Token "))


def with_request_id(headers: Headers) -> Headers:
    """With a new X-Request-ID, unless they hold one."""
    name = REQUEST_ID.encode("ascii")
    if any(given == name for given, _ in headers):
        return headers
    return [(name, str(uuid.uuid4()).encode("ascii")), *headers]


def _line(name: str, value: str) -> tuple[bytes, bytes]:
    if not value.strip() or not all("\x20" <= char <= "\x7e" for char in value):
        raise ValueError(f"the {name} header would hold other than printable ASCII")
    return name.encode("ascii"), value.encode("ascii")
