"""Ids of CDRs as OCPI 2.1.1 takes them: shorter than later versions' may be."""

from __future__ import annotations

import hashlib

MAX_CDR_ID_LENGTH = 36
_DIGEST = 8


def cdr_id(inner_id: str) -> str:
    """The id itself, or its beginning and a hash of all of it: the same each time."""
    if len(inner_id) <= MAX_CDR_ID_LENGTH:
        return inner_id
    digest = hashlib.sha256(inner_id.lower().encode()).hexdigest()[:_DIGEST]
    return f"{inner_id[: MAX_CDR_ID_LENGTH - _DIGEST - 1]}-{digest}"
