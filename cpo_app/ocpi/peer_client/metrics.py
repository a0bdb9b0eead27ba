"""What was asked of peers, what came of it, and how long it took. Peers by their id; never a URL.

Every label is one of a few: whatever a peer answers makes no new series.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from cpo_app.ocpi.peer_client.peer_answer import PeerAnswer, PeerUnusable
from domain.exchanges.exchange import MODULES, NO_PEER, Subject, outcome_of
from domain.trace import bound_id

REQUESTS = Counter(
    "cpo_peer_requests",
    "Requests to peers by what came of them: ok, refused, failed, or why there was no answer.",
    ["peer", "module", "result"],
)
DURATIONS = Histogram(
    "cpo_peer_request_duration_seconds",
    "How long requests to a peer took, answered or not.",
    ["peer"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ANSWERS = Counter(
    "cpo_peer_answers", "Answers of peers, by their OCPI status code.", ["module", "code"]
)
_KNOWN = frozenset(
    {1000, 2000, 2001, 2002, 2003, 2004, 3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003}
)
_STATUS = re.compile(rb'"status_code"\s*:\s*([0-9]{4})(?![0-9])')
_HEAD, _TAIL = 1000, 400
"""An envelope's status stands before or behind its data."""
BROKEN_OFF = "broken_off"
"""We have not waited for the answer."""


@dataclass
class Asked:
    answer: PeerAnswer | None = None


@contextlib.contextmanager
def counted(about: Subject) -> Iterator[Asked]:
    """Around one request, redirects included; whoever makes it leaves the answer here."""
    asked, begun, result = Asked(), time.perf_counter(), BROKEN_OFF
    module = about.module if about.module in MODULES else "other"
    try:
        yield asked
        if asked.answer is not None:
            code = _ocpi_status(asked.answer.body)
            result = outcome_of(asked.answer.http_status, code).value
            if code is not None:
                ANSWERS.labels(module, _named(code)).inc()
    except PeerUnusable as error:
        result = error.kind
        raise
    finally:
        peer = about.peer_id or bound_id("peer_id") or NO_PEER
        REQUESTS.labels(peer, module, result).inc()
        DURATIONS.labels(peer).observe(time.perf_counter() - begun)


def _ocpi_status(body: bytes) -> int | None:
    found = _STATUS.findall(body[-_TAIL:]) or _STATUS.findall(body[:_HEAD])
    return int(found[-1]) if found else None


def _named(code: int) -> str:
    """A code of the text's as it is, any other by its thousand."""
    if code in _KNOWN:
        return str(code)
    return f"{code // 1000}xxx" if 1000 <= code <= 4999 else "other"
