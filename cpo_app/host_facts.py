"""What is read of this host's files by the doctor and by the notices alike."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509


def certificate_end(path: str) -> datetime:
    """When the first certificate of a PEM file ends. Raises ValueError, OSError."""
    return x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc
