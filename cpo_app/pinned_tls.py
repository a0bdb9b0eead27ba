"""TLS with exactly one certificate: the one whose SHA-256 fingerprint is known beforehand.

For ends that nobody's CA vouches for, as a charge point's engine. Names and dates are not looked
at; another certificate ends the handshake, before anything is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl


def fingerprint_of(pem: str) -> str:
    """SHA-256 of the DER form of the first certificate in it, in hex. Raises ValueError."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    start, stop = pem.find(begin), pem.find(end)
    if start < 0 or stop < start:
        raise ValueError("not a certificate in PEM form")
    der = ssl.PEM_cert_to_DER_cert(pem[start : stop + len(end)])
    return hashlib.sha256(der).hexdigest()


def pinned_context(fingerprint: str) -> ssl.SSLContext:
    """For clients: a handshake with another certificate raises ssl.SSLCertVerificationError."""

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if not hmac.compare_digest(shown, fingerprint):
                raise ssl.SSLCertVerificationError("another certificate than the one expected")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # judged by its fingerprint, above
    context.sslobject_class = Pinned
    return context
