"""The ids that stand in every log line (domain/trace.py), and how they travel in headers."""

from __future__ import annotations

import logging
import re

from domain.trace import bind, bound, bound_id, bound_ids

__all__ = ["CORRELATION_HEADER", "AddIds", "bind", "bound", "bound_id", "usable_id"]

CORRELATION_HEADER = "X-Correlation-ID"
_ID = re.compile(r"[\x21-\x7e]{1,128}")


def usable_id(given: str | None) -> str | None:
    """An id out of a header, if it can stand in a header and in a log line again."""
    return given if given and _ID.fullmatch(given) else None


class AddIds(logging.Filter):
    """Gives every record `ids`; for the handler, so that no logger is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.ids = bound_ids()
        return True
