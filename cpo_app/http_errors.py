"""What EV_Registry, EV_Central and a charge point's engine answer when something is wrong.

`{"error", "detail", "timestamp"}`: `error` is a word for programs, `detail` a line for people. It
never repeats a credential or a value that the caller sent. OCPI has an envelope of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from db_interface.json_data import JsonMapping
from domain.times import format_datetime, utc_now

STORE_AWAY = "the store cannot be reached at the moment"
RETRY_AFTER = {"Retry-After": "2"}
_WORDS = {413: "too_large", 500: "internal_error", 503: "unavailable"}
_PLACES = ("body", "query", "path", "header")
_MAX_PROBLEMS = 5


class HttpError(HTTPException):
    """A request that cannot be done; `detail` goes to the caller.

    `error` is the status's own word (`not_found`) unless a program must tell two cases apart.
    """

    def __init__(
        self,
        http_status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        error: str | None = None,
    ) -> None:
        super().__init__(http_status, detail, None if headers is None else dict(headers))
        self.error = error

    @classmethod
    def bad_field(cls, field: str, problem: str) -> HttpError:
        """400 that names the field."""
        return cls(400, f"{field}: {problem}")


def error_answer(
    http_status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    *,
    error: str | None = None,
) -> JSONResponse:
    """An answer in the one shape."""
    return JSONResponse(
        {
            "error": error or error_word(http_status),
            "detail": detail,
            "timestamp": format_datetime(utc_now()),
        },
        http_status,
        headers=None if headers is None else dict(headers),
    )


def answer_of(error: HTTPException) -> JSONResponse:
    """The answer for one that was raised: ours, or the router's own 404 and 405."""
    word = error.error if isinstance(error, HttpError) else None
    return error_answer(error.status_code, str(error.detail), error.headers, error=word)


def error_word(http_status: int) -> str:
    """404: `not_found`."""
    word = _WORDS.get(http_status)
    return word or HTTPStatus(http_status).phrase.lower().replace(" ", "_").replace("-", "_")


def problems_of(errors: Iterable[JsonMapping]) -> str:
    """pydantic's errors as "field: what is wrong", joined; never a value."""
    problems = []
    for problem in list(errors)[:_MAX_PROBLEMS]:
        if problem["type"].startswith("value_error.jsondecode"):
            return "body: not valid JSON"
        path = [str(part) for part in problem["loc"]]
        field = ".".join(path[1:] if path[0] in _PLACES and len(path) > 1 else path)
        problems.append(f"{'body' if field == '__root__' else field}: {problem['msg']}")
    return "; ".join(problems)
