"""The client certificate of a connection, as its SHA-256 fingerprint (of the DER form).

Out of the TLS handshake, in which the client proved that it holds the key; or, where a trusted
proxy ends the TLS, out of the header that the proxy sets. Nobody else's header counts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import ssl
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.types import Scope

EXTENSION = "cpo.client_certificate"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def of_scope(scope: Scope) -> str | None:
    """The fingerprint that the client of this request proved; None: it showed no certificate."""
    found = scope.get("extensions", {}).get(EXTENSION, {}).get("fingerprint")
    return found if isinstance(found, str) else None


def of_handshake(ssl_object: ssl.SSLObject | None) -> str | None:
    """The fingerprint of what the other end of a TLS connection showed."""
    der = None if ssl_object is None else ssl_object.getpeercert(binary_form=True)
    return hashlib.sha256(der).hexdigest() if der else None


def of_headers(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """What a proxy says: a URL-encoded PEM certificate, RFC 9440's `:base64:`, or the fingerprint
    in hex. None for anything else, and for a header that is there twice.
    """
    values = [value for key, value in headers if key == name]
    if len(values) != 1:
        return None
    text = unquote(values[0].decode("latin-1")).strip()
    plain = text.replace(":", "").lower()
    if _FINGERPRINT.fullmatch(plain):
        return plain
    try:
        if text.startswith("-----BEGIN CERTIFICATE-----"):
            der = ssl.PEM_cert_to_DER_cert(text)
        elif len(text) > 2 and text[0] == text[-1] == ":":
            der = base64.b64decode(text[1:-1], validate=True)
        else:
            return None
    except (ValueError, binascii.Error):
        return None
    return hashlib.sha256(der).hexdigest()
