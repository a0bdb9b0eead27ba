"""Where the next page of a peer's list is (transport_and_format "Pagination").

Pure: it reads answers and makes URLs; the client fetches them, through the guard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cpo_app.ocpi.peer_client.peer_answer import PeerAnswer, PeerUnusable


@dataclass(frozen=True)
class PeerPage:
    """`items`: whatever stands on the page, each to be judged by itself, so that one bad object
    spoils no other. `next_url`: where the list goes on, None at its end."""

    items: Sequence[Any]
    next_url: str | None


@dataclass(frozen=True)
class ResumeAt:
    """A list that was read in part before: the page where it goes on, what was had already."""

    url: str
    pages: int
    received: int


def items_of(answer: PeerAnswer) -> list[Any]:
    """What stands on one page. Raises PeerUnusable if it is no list."""
    data = answer.data()
    if data is None:  # some peers leave the data of an empty list out
        return []
    if not isinstance(data, list):
        raise PeerUnusable("the peer's page is not a list", "not_ocpi", sent=True)
    return data


def next_by_offset(
    url: str, answer: PeerAnswer, *, page_length: int, received: int, limit: int | None
) -> str | None:
    """The next page of a peer that counts (X-Total-Count) but forgets the Link, or None.

    Only after a full page, so that a wrong count costs one request at most. The page size is
    the one asked for, or the peer's X-Limit if that is smaller.
    """
    total, most = answer.count_header("x-total-count"), answer.count_header("x-limit")
    sizes = [size for size in (limit, most) if size]
    position = _offset(url) + received
    if not page_length or not sizes or total is None or position >= total:
        return None
    size = min(sizes)
    return with_query(url, offset=position, limit=size) if page_length >= size else None


def with_query(url: str, **numbers: int) -> str:
    """The URL with these query parameters set; the others stay as they are written."""
    parts = urlsplit(url)
    kept = [
        pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] not in numbers
    ]
    query = "&".join(kept + [f"{name}={number}" for name, number in numbers.items()])
    return parts._replace(query=query, fragment="").geturl()


def _offset(url: str) -> int:
    for pair in urlsplit(url).query.split("&"):
        name, _, value = pair.partition("=")
        if name == "offset" and value.isdecimal():
            return int(value)
    return 0
