"""Logging of all our processes: one line an event, text or JSON, to stderr.

Line breaks that a peer wrote into a path or a header are escaped: one event stays one line.
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime, timezone

import orjson

_QUIET = ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "OCPI-Logger", "pymongo")


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        text = f"{moment} {record.levelname:<7} {record.name:<14} {_plain(record.getMessage())}"
        return text if not record.exc_info else f"{text}\n{self.formatException(record.exc_info)}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        row = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(row).decode()


def set_up(level: str = "INFO", form: str = "text") -> None:
    """Set up this process's logging; an unknown level or form falls back to INFO and text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _OneLine())
    number = logging.getLevelName(level.upper())
    logging.basicConfig(
        level=number if isinstance(number, int) else logging.INFO, handlers=[handler], force=True
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
