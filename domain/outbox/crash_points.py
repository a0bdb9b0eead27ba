"""Places at which a fault test lets the process die: between any two steps of change and push,
and of a registration that we make with another platform.

`CPO_CRASH_AT=name` ends the process there as `kill -9` would, `name:3` at the third passing.
Without that variable, which no deployment sets, nothing happens here.
"""

from __future__ import annotations

import os
from collections import Counter

NAMES = (
    "object-written",  # in the transaction, before its marks
    "marks-written",  # in the transaction, before its commit
    "marks-read",
    "objects-read",
    "before-send",
    "cdr-announced",  # it is noted that a POST goes out, which has not gone out
    "cdr-posted",  # the peer has answered, nothing is noted yet
    "cdr-proven",  # the proof is kept, the mark is still there
    "sent",  # the peer has the object, the mark is still there
    "cleared",
)

EVENTS = (
    "event-marks-written",  # in the transaction, before its commit
    "events-read",
    "events-sent",  # the brokers have them, the marks are still there
    "events-cleared",
)

CALLING = (
    "peer-to-be-called",  # our registration with a platform is noted, it has not heard of it
    "peer-answered",  # it has registered us, its credentials are not kept yet
    "peer-answer-kept",  # they are, and the peer is not connected yet
)

_name, _, _nth = os.environ.get("CPO_CRASH_AT", "").partition(":")
_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """End the process here and now if it was asked for."""
    if name != _name:
        return
    _passed[name] += 1
    if _passed[name] >= int(_nth or 1):
        os._exit(137)
