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
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from cryptography import x509
from starlette.types import Scope

EXTENSION = "cpo.client_certificate"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class ClientCertificate(NamedTuple):
    fingerprint: str
    der: bytes | None
    """Not known where a proxy has named the fingerprint alone."""


def of_scope(scope: Scope) -> str | None:
    """The fingerprint that the client of this request proved; None: it showed no certificate."""
    found = scope.get("extensions", {}).get(EXTENSION, {}).get("fingerprint")
    return found if isinstance(found, str) else None


def end_of_scope(scope: Scope) -> datetime | None:
    """When that certificate ends, where that is known."""
    der = scope.get("extensions", {}).get(EXTENSION, {}).get("der")
    if not isinstance(der, bytes):
        return None
    try:
        return x509.load_der_x509_certificate(der).not_valid_after_utc
    except ValueError:
        return None


def of_handshake(ssl_object: ssl.SSLObject | None) -> ClientCertificate | None:
    """What the other end of a TLS connection showed."""
    der = None if ssl_object is None else ssl_object.getpeercert(binary_form=True)
    return _of(der) if der else None


def of_headers(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> ClientCertificate | None:
    """What a proxy says: a URL-encoded PEM certificate, RFC 9440's `:base64:`, or the fingerprint
    in hex. None for anything else, and for a header that is there twice.
    """
    values = [value for key, value in headers if key == name]
    if len(values) != 1:
        return None
    text = unquote(values[0].decode("latin-1")).strip()
    plain = text.replace(":", "").lower()
    if _FINGERPRINT.fullmatch(plain):
        return ClientCertificate(plain, None)
    try:
        if text.startswith("-----BEGIN CERTIFICATE-----"):
            der = ssl.PEM_cert_to_DER_cert(text)
        elif len(text) > 2 and text[0] == text[-1] == ":":
            der = base64.b64decode(text[1:-1], validate=True)
        else:
            return None
    except (ValueError, binascii.Error):
        return None
    return _of(der)


def _of(der: bytes) -> ClientCertificate:
    return ClientCertificate(hashlib.sha256(der).hexdigest(), der)
