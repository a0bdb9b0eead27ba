"""Lists in pages (OCPI 2.2.1, transport_and_format 4.1.5): parameters in, headers out.

`offset` and `limit` work as the specification says. The Link that we hand out carries in addition a
cursor, so that the last page costs what the first costs, and a crawl neither skips nor repeats
an object while others change. The cursor of a pull by date also holds as of when its first page
was read, and how many objects there were: the later ones show no other state of things.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from urllib.parse import quote

from cpo_app.links import format_next
from domain.errors import InvalidParameters
from domain.schemas import parse_datetime

_MAX_OFFSET = 2**53
_MAX_PLACE = 2**63 - 1
_CURSOR = re.compile(r"(\d{1,19})(?:\.(\d{1,14})(?:\.(\d{1,12}))?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


class _Cursor(NamedTuple):
    """The last object's place; of a pull by date, as of when its first page was read, and how many
    objects it had."""

    after: int | None = None
    as_of: datetime | None = None
    total: int | None = None


_NO_CURSOR = _Cursor()


@dataclass(frozen=True)
class PageParameters:
    """The query of a list request, checked; `filters()` is the library's Crud contract."""

    limit: int
    offset: int = 0
    after: int | None = None
    as_of: datetime | None = None
    total: int | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    kept: tuple[tuple[str, str], ...] = ()
    """The filters as they were written, to stand in the Link."""

    def filters(self) -> dict[str, object]:
        """What `Crud.list` gets; `after`, `as_of` and `total` are ours, a library Crud ignores
        them."""
        return {
            "date_from": self.date_from,
            "date_to": self.date_to,
            "offset": self.offset,
            "limit": self.limit,
            "after": self.after,
            "as_of": self.as_of,
            "total": self.total,
        }

    def next_query(
        self, last_seq: int | None, as_of: datetime | None = None, total: int | None = None
    ) -> str:
        """The query string of the next page."""
        query = f"offset={self.offset + self.limit}&limit={self.limit}"
        for name, value in self.kept:
            query += f"&{name}={quote(value, safe=':')}"
        return query if last_seq is None else f"{query}&cursor={_cursor(last_seq, as_of, total)}"


def page_parameters(query: Mapping[str, str], default_limit: int, cap: int) -> PageParameters:
    """Raises InvalidParameters naming the parameter and what is wrong with it."""
    date_from, date_to = _date(query, "date_from"), _date(query, "date_to")
    if date_from is not None and date_to is not None and date_to < date_from:
        raise InvalidParameters("date_to: lies before date_from")
    limit = _whole(query, "limit", minimum=1)
    cursor = _read_cursor(query["cursor"]) if "cursor" in query else _NO_CURSOR
    return PageParameters(
        limit=min(default_limit if limit is None else limit, cap),
        offset=_whole(query, "offset", minimum=0) or 0,
        after=cursor.after,
        as_of=cursor.as_of,
        total=cursor.total,
        date_from=date_from,
        date_to=date_to,
        kept=tuple((name, query[name]) for name in ("date_from", "date_to") if name in query),
    )


def page_headers(
    parameters: PageParameters,
    *,
    url: str,
    total: int,
    cap: int,
    is_last: bool,
    last_seq: int | None,
    as_of: datetime | None = None,
) -> dict[str, str]:
    """X-Total-Count, X-Limit and, unless this is the last page, Link."""
    headers = {"X-Total-Count": str(total), "X-Limit": str(cap)}
    if not is_last:
        headers["Link"] = format_next(f"{url}?{parameters.next_query(last_seq, as_of, total)}")
    return headers


def _whole(query: Mapping[str, str], name: str, *, minimum: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 16:
        raise InvalidParameters(f"{name}: {text[:20]!r} is not a whole number from {minimum} on")
    value = int(text)
    if value < minimum or value > _MAX_OFFSET:
        raise InvalidParameters(f"{name}: {value} is not a whole number from {minimum} on")
    return value


def _date(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    # An unescaped "+" of an offset arrives as a space.
    try:
        return parse_datetime(text.replace(" ", "+"))
    except ValueError as error:
        raise InvalidParameters(f"{name}: {error}") from error


def _cursor(seq: int, as_of: datetime | None, total: int | None) -> str:
    text = str(seq)
    if as_of is not None:
        text += f".{(as_of - _EPOCH) // _MILLISECOND}"
        text += "" if total is None else f".{total}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> _Cursor:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        match = _CURSOR.fullmatch(text)
        if match and int(match[1]) <= _MAX_PLACE:
            at = None if match[2] is None else _EPOCH + int(match[2]) * _MILLISECOND
            return _Cursor(int(match[1]), at, None if match[3] is None else int(match[3]))
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise InvalidParameters("cursor: not one that this server has handed out")
