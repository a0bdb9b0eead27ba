"""An exchange with a peer: as it was seen, and as the store keeps it.

`Seen` is what whoever carried it hands over: references, nothing looked at yet. `Exchange` is the
document: secrets redacted, bodies bounded, found by `keys` (search_keys.py). Ids begin with the
time, so that the order of ids is the order in time.
"""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TypedDict

from db_interface.collection import Collection

RawHeaders = Sequence[tuple[bytes, bytes]]

MODULES = (
    "versions",
    "credentials",
    "locations",
    "sessions",
    "cdrs",
    "tariffs",
    "tokens",
    "commands",
    "chargingprofiles",
    "hubclientinfo",
    "payments",
    "other",
)
NO_PEER = "-"
"""Of an exchange with a stranger."""


class Direction(str, Enum):
    """Who has asked."""

    IN = "in"  # the peer asked us
    OUT = "out"  # we asked the peer


class Outcome(str, Enum):
    """What came of it, in one word."""

    OK = "ok"
    REFUSED = "refused"  # HTTP 4xx, OCPI 2xxx: whoever was asked did not like the request
    FAILED = "failed"  # no answer, HTTP 5xx, OCPI 3xxx: whoever was asked could not do it


@dataclass(frozen=True)
class Content:
    """A body: its beginning, and how long it is altogether."""

    start: bytes = b""
    length: int = 0
    tail: bytes = b""
    """where the start is not all: its end, which holds the OCPI status of our answers"""


NOTHING = Content()
TAIL_BYTES = 400
"""Enough for what stands behind `data` in an envelope of ours."""


def content_of(chunks: Sequence[bytes], most: int) -> Content:
    """A body that came in these chunks, held on to as far as it will be looked at."""
    length = sum(map(len, chunks))
    if length <= most:
        return Content(chunks[0] if len(chunks) == 1 else b"".join(chunks), length)
    start, tail = b"", b""
    for chunk in chunks:
        start += chunk[: most - len(start)]
    for chunk in reversed(chunks):
        tail = chunk[-(TAIL_BYTES - len(tail)) :] + tail
        if len(tail) >= TAIL_BYTES:
            break
    return Content(start, length, tail)


@dataclass(frozen=True)
class Subject:
    """What an outgoing request is about, as far as whoever sends it knows."""

    peer_id: str | None = None
    module: str | None = None
    version: str | None = None
    objects: tuple[str, ...] = ()


UNNAMED = Subject()


@dataclass
class Seen:
    """An exchange as it was seen by whoever carried it. `objects`: ids, as far as they are known
    beside the URL and the bodies; `secrets`: texts that nothing of it may repeat."""

    direction: Direction
    method: str
    url: str
    request_headers: RawHeaders
    request: Content
    status: int | None
    response_headers: RawHeaders
    response: Content
    took_s: float
    subject: Subject
    request_id: str | None = None
    correlation_id: str | None = None
    address: str | None = None
    error: str | None = None
    secrets: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """further ids that it is found by: of the command, or the act, that led to it"""
    is_page: bool = False
    """A list that a peer has read, or we at a peer."""

    @property
    def weight(self) -> int:
        """Bytes that it holds on to."""
        return len(self.request.start) + len(self.response.start) + 2000


class Part(TypedDict, total=False):
    """A request or an answer."""

    head: str
    """a line for each header"""
    body: str
    """as much of it as is kept"""
    size: int
    """bytes of the body as it was"""
    cut: bool
    """the body is not kept to its end"""


class Exchange(TypedDict, total=False):
    """A document of `exchanges`."""

    _id: str
    at: datetime
    took_ms: float
    direction: str
    peer_id: str | None
    address: str | None
    module: str
    version: str | None
    method: str
    url: str
    status: int | None
    ocpi_status: int | None
    outcome: str
    error: str | None
    request_id: str | None
    correlation_id: str | None
    objects: list[str]
    request: Part
    response: Part
    keys: list[str]


EXCHANGES: Collection[Exchange] = Collection("exchanges")


class Loss(TypedDict):
    """A document of `exchange_losses`: so many exchanges were not kept."""

    _id: str
    at: datetime
    lost: int


LOSSES: Collection[Loss] = Collection("exchange_losses")

_process = uuid.uuid4().hex[:6]
_NUMBER = itertools.count()
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def new_id(at: datetime) -> str:
    return f"{first_id(at)}{next(_NUMBER) & 0xFFFFF:05x}{_process}"


def _is_another() -> None:
    """Of a process that was forked when this was imported already."""
    global _process
    _process = uuid.uuid4().hex[:6]


os.register_at_fork(after_in_child=_is_another)


def first_id(at: datetime) -> str:
    """What the ids of that millisecond begin with: all earlier ones sort before it."""
    return f"{max(0, round((at - _EPOCH).total_seconds() * 1000)):011x}"


def time_of_id(exchange_id: str) -> datetime:
    """When it began, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=int(exchange_id[:11], 16))


def outcome_of(status: int | None, ocpi_status: int | None) -> Outcome:
    kind = (ocpi_status or 1000) // 1000
    if status is None or status >= 500 or kind == 3:
        return Outcome.FAILED
    return Outcome.REFUSED if status >= 400 or kind != 1 else Outcome.OK
