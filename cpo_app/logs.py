"""Logging of all our processes: one line an event, text or JSON, to stderr, times in UTC.

Line breaks that a peer wrote into a path or a header are escaped: one event stays one line.
A line that repeats is written once a minute (`cpo_app/log_ration.py`).
"""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TextIO

import orjson

from cpo_app.log_ids import AddIds
from cpo_app.log_ration import Ration
from domain.times import format_datetime

_QUIET = ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "OCPI-Logger", "pymongo")


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        text = (
            f"{moment:%Y-%m-%d %H:%M:%S}Z {record.levelname:<7} {record.name:<14} "
            f"{_plain(record.getMessage())}"
        )
        ids = " ".join(f"{name}={_plain(value)}" for name, value in _ids(record).items())
        if ids:
            text = f"{text} [{ids}]"
        return text if not record.exc_info else f"{text}\n{self.formatException(record.exc_info)}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, object] = {
            "at": format_datetime(datetime.fromtimestamp(record.created, timezone.utc)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_event(record),
            **_ids(record),
        }
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(row, default=str).decode()


class _Rationed(logging.StreamHandler[TextIO]):
    """Lines that repeat are counted and left out."""

    def __init__(self, stream: TextIO, ration: Ration) -> None:
        super().__init__(stream)
        self._ration = ration

    def emit(self, record: logging.LogRecord) -> None:
        left_out = self._ration.left_out_before(record)
        if left_out is None:
            return
        if left_out:
            record = copy.copy(record)  # others may handle it, too
            record.msg = f"{record.getMessage()} (and {left_out} more such lines before)"
            record.args = None
        super().emit(record)


def set_up(level: str = "INFO", form: str = "text") -> None:
    """Set up this process's logging; an unknown level or form falls back to INFO and text."""
    handler = _Rationed(sys.stderr, Ration())
    handler.setFormatter(_Json() if form == "json" else _OneLine())
    handler.addFilter(AddIds())
    number = logging.getLevelName(level.upper())
    logging.basicConfig(
        level=number if isinstance(number, int) else logging.INFO, handlers=[handler], force=True
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Of a collector that is away they say each time anew how long they will wait.
    for name in ("opentelemetry", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _ids(record: logging.LogRecord) -> Mapping[str, str]:
    ids: Mapping[str, str] = getattr(record, "ids", {})
    return ids


def _event(record: logging.LogRecord) -> Mapping[str, object]:
    """Name, ids and figures of an event (domain/log_events.py)."""
    name: str | None = getattr(record, "event", None)
    facts: Mapping[str, object] = getattr(record, "facts", {})
    return {"event": name, **facts} if name else {}


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
