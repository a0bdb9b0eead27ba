"""Pages of a list (transport_and_format, pagination): by date, offset and limit, with the Link."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.demo_emsp.answers import bad, envelope
from db_interface.json_data import JsonObject
from domain.times import parse_datetime

MAX_LIMIT = 50


def page_of(request: Request, rows: list[JsonObject], url: str) -> Response:
    """The page that is asked for, of a list at `url`. Raises Refusal for a bad parameter."""
    asked = dict(request.query_params)
    offset = _number(asked, "offset", 0)
    limit = min(_number(asked, "limit", MAX_LIMIT), MAX_LIMIT)
    try:
        since, until = (
            None if name not in asked else parse_datetime(asked[name])
            for name in ("date_from", "date_to")
        )
    except ValueError as error:
        raise bad(f"date_from or date_to: {error}") from error
    found = [
        row
        for row in rows
        for changed in [parse_datetime(row["last_updated"])]
        if (since is None or since <= changed) and (until is None or changed < until)
    ]
    answer = envelope(request, found[offset : offset + limit])
    answer.headers["X-Total-Count"] = str(len(found))
    answer.headers["X-Limit"] = str(MAX_LIMIT)
    if offset + limit < len(found):
        query = urlencode({**asked, "offset": offset + limit, "limit": limit})
        answer.headers["Link"] = f'<{url}?{query}>; rel="next"'
    return answer


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise bad(f"{name}: is not a number")
    return int(text)
