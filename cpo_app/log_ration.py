"""Lines that repeat are written once a minute: an outage, or a stranger, fills no disk.

What counts as the same is the text, whatever ids it bears. Warnings and errors are rationed, and
what asks for it (`extra=RATIONED`): lines that strangers can cause. Other information never is: it
is the trail of what was done.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

EVERY_S = 60.0
MAX_KEPT = 1000
RATIONED: Mapping[str, object] = {"rationed": True}

Key = tuple[str, str, object]


class Ration:
    """Not thread-safe: a handler asks while it holds its lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written: OrderedDict[Key, tuple[float, int]] = OrderedDict()
        """By line: when it was written last, and how often it was left out since."""

    def left_out_before(self, record: logging.LogRecord) -> int | None:
        """How many such lines were left out since the last one; None: this one is, too."""
        if record.levelno < logging.WARNING and not getattr(record, "rationed", False):
            return 0
        key, now = _what(record), self._clock()
        written_at, left_out = self._written.get(key, (float("-inf"), 0))
        if now - written_at < EVERY_S:
            self._written[key] = (written_at, left_out + 1)
            return None
        self._written[key] = (now, 0)
        self._written.move_to_end(key)
        if len(self._written) > MAX_KEPT:
            self._written.popitem(last=False)
        return left_out


def _what(record: logging.LogRecord) -> Key:
    raised = None
    if record.exc_info and record.exc_info[1] is not None:
        raised = (record.exc_info[0], str(record.exc_info[1]))
    return record.name, record.getMessage(), raised
