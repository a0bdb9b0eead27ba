"""How a peer presents its token (OCPI 2.2.1, transport_and_format)."""

from __future__ import annotations

import base64


def encoded(token: str) -> str:
    """The value of the Authorization header."""
    return "Token " + base64.b64encode(token.encode()).decode()
