"""Lists in pages (OCPI 2.2.1, transport_and_format 4.1.5): parameters in, headers out.

`offset` and `limit` work as the specification says. The Link that we hand out carries in addition a
cursor, so that the last page costs what the first costs, and a crawl neither skips nor repeats
an object while others change. The cursor of a pull by date also holds as of when its first page
was read: the later ones show no other state of things.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from cpo_app.ocpi.links import format_next
from domain.errors import InvalidParameters
from domain.schemas import parse_datetime

_MAX_OFFSET = 2**53
_MAX_PLACE = 2**63 - 1
_CURSOR = re.compile(r"(\d{1,19})(?:\.(\d{1,14}))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class PageParameters:
    """The query of a list request, checked; `filters()` is the library's Crud contract."""

    limit: int
    offset: int = 0
    after: int | None = None
    as_of: datetime | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    kept: tuple[tuple[str, str], ...] = ()
    """The filters as they were written, to stand in the Link."""

    def filters(self) -> dict[str, object]:
        """What `Crud.list` gets; `after` and `as_of` are ours, a library Crud ignores them."""
        return {
            "date_from": self.date_from,
            "date_to": self.date_to,
            "offset": self.offset,
            "limit": self.limit,
            "after": self.after,
            "as_of": self.as_of,
        }

    def next_query(self, last_seq: int | None, as_of: datetime | None = None) -> str:
        """The query string of the next page."""
        query = f"offset={self.offset + self.limit}&limit={self.limit}"
        for name, value in self.kept:
            query += f"&{name}={quote(value, safe=':')}"
        return query if last_seq is None else f"{query}&cursor={_cursor(last_seq, as_of)}"


def page_parameters(query: Mapping[str, str], default_limit: int, cap: int) -> PageParameters:
    """Raises InvalidParameters naming the parameter and what is wrong with it."""
    date_from, date_to = _date(query, "date_from"), _date(query, "date_to")
    if date_from is not None and date_to is not None and date_to < date_from:
        raise InvalidParameters("date_to: lies before date_from")
    limit = _whole(query, "limit", minimum=1)
    after, as_of = _read_cursor(query["cursor"]) if "cursor" in query else (None, None)
    return PageParameters(
        limit=min(default_limit if limit is None else limit, cap),
        offset=_whole(query, "offset", minimum=0) or 0,
        after=after,
        as_of=as_of,
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
        headers["Link"] = format_next(f"{url}?{parameters.next_query(last_seq, as_of)}")
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


def _cursor(seq: int, as_of: datetime | None) -> str:
    text = str(seq) if as_of is None else f"{seq}.{(as_of - _EPOCH) // _MILLISECOND}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, datetime | None]:
    """The last object's place, and as of when the first page was read."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        match = _CURSOR.fullmatch(text)
        if match and int(match[1]) <= _MAX_PLACE:
            at = None if match[2] is None else _EPOCH + int(match[2]) * _MILLISECOND
            return int(match[1]), at
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise InvalidParameters("cursor: not one that this server has handed out")
