"""Times as charge points write them: ISO 8601, in all the forms that are met. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from domain.times import parse_datetime

_COMPACT_OFFSET = re.compile(r"([+-]\d\d)(\d\d)\Z")


def time_of(text: object) -> datetime | None:
    """The instant; None for what is none. Without a zone it is UTC, as OCPP wants it."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=timezone.utc)
    if not isinstance(text, str):
        return None
    written = text.strip().replace(" ", "T", 1).upper()
    written = _COMPACT_OFFSET.sub(r"\1:\2", written)
    try:
        return parse_datetime(written)
    except ValueError:
        return None
