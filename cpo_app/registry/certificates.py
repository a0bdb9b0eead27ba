"""The X.509 certificate a charge point may register with. Only read here, never trusted: it is
kept for the operator. A private key pasted beside it is refused, so that none is ever stored.
"""

from __future__ import annotations

from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import load_pem_x509_certificate

MAX_LENGTH = 16_384


class CertificateRefused(ValueError):
    """Not a certificate that can be kept; the message says why."""


def checked_certificate(pem: str, now: datetime) -> str:
    """The PEM text of one certificate that has not expired at `now`.

    Raises CertificateRefused.
    """
    if len(pem) > MAX_LENGTH:
        raise CertificateRefused(f"longer than {MAX_LENGTH} characters")
    if "PRIVATE KEY" in pem:
        raise CertificateRefused("holds a private key; send the certificate alone")
    try:
        expires_at = load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateRefused("not an X.509 certificate in PEM form") from None
    if expires_at <= now:
        raise CertificateRefused(f"expired on {expires_at.date().isoformat()}")
    return pem
