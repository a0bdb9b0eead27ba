"""The ids that stand in every log line (domain/trace.py), and how they travel in headers."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from domain.trace import TRACEPARENT, TRACESTATE, bind, bound, bound_id, bound_ids

__all__ = ["CORRELATION_HEADER", "AddIds", "bind", "bound", "bound_id", "usable_id"]

CORRELATION_HEADER = "X-Correlation-ID"
_ID = re.compile(r"[\x21-\x7e]{1,128}")


def usable_id(given: str | None) -> str | None:
    """An id out of a header, if it can stand in a header and in a log line again."""
    return given if given and _ID.fullmatch(given) else None


class AddIds(logging.Filter):
    """Gives every record `ids`; for the handler, so that no logger is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.ids = _shown(bound_ids())
        return True


def _shown(ids: Mapping[str, str]) -> Mapping[str, str]:
    """With the id of a trace alone of what W3C's headers say of it."""
    traceparent = ids.get(TRACEPARENT)
    if traceparent is None:
        return ids
    shown = {name: value for name, value in ids.items() if name not in (TRACEPARENT, TRACESTATE)}
    return {**shown, "trace_id": traceparent.split("-")[1]}
