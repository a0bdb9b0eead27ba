"""What EV_Registry takes: bodies read up to a limit, parsed strictly, refused with the field.

Whatever passes here can be stored: no number, key or nesting that the database would refuse, no
control character that would forge a log line.
"""

import unicodedata
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel, StrictStr, ValidationError, constr, validator

from cpo_app.bounded_body import bounded_body
from cpo_app.http_errors import HttpError, problems_of

BODY_LIMIT_BYTES = 32_768
"""Anybody may send one where new charge points need no key: parsed, it takes a megabyte."""
AUTHENTICATING_LIMIT_BYTES = 4096
METADATA_LIMIT_BYTES = 16_384
METADATA_DEPTH = 8
KEY_LENGTH = 128
_MAX_INTEGER = 2**63 - 1
_JOINERS = "\u200c\u200d"  # part of words in Persian and Indic scripts
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}

Payload = TypeVar("Payload", bound=BaseModel)
CpId = constr(strict=True, regex=r"\A[A-Za-z0-9_-]{3,64}\Z")


class _Body(BaseModel):
    cp_id: CpId  # type: ignore[valid-type]
    """3 to 64 of A-Z, a-z, 0-9, _ and -."""

    @validator("cp_id", pre=True)
    def _readable(cls, value: Any) -> Any:
        if isinstance(value, str) and not 3 <= len(value) <= 64:
            raise ValueError("must have 3 to 64 characters")
        return value

    class Config:
        error_msg_templates = {  # noqa: RUF012 - pydantic's own form
            "value_error.str.regex": "may hold only letters A-Z and a-z, digits, _ and -"
        }


class Registering(_Body):
    """POST /cp/register."""

    location: StrictStr
    """A city or address, 2 to 256 characters."""
    metadata: dict[str, Any] | None = None
    """Free; known keys become OCPI fields. At most 16 KB, 8 levels deep."""
    certificate_pem: StrictStr | None = None

    @validator("location")
    def _place(cls, value: str) -> str:
        value = value.strip()
        if any(_is_unprintable(character) for character in value):
            raise ValueError("must not hold control characters or line breaks")
        if not 2 <= len(value) <= 256:
            raise ValueError("must have 2 to 256 characters")
        return value

    @validator("metadata", pre=True)
    def _storable(cls, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise ValueError("must be an object")
        problem = _problem_in(value, METADATA_DEPTH)
        if problem:
            raise ValueError(problem)
        if len(orjson.dumps(value)) > METADATA_LIMIT_BYTES:
            raise ValueError(f"must not be larger than {METADATA_LIMIT_BYTES} bytes")
        return value

    @validator("certificate_pem")
    def _given(cls, value: str | None) -> str | None:
        return (value or "").strip() or None


class Authenticating(_Body):
    """POST /cp/authenticate."""

    credentials: StrictStr

    @validator("credentials")
    def _bounded(cls, value: str) -> str:
        if not 1 <= len(value) <= 256:
            raise ValueError("must have 1 to 256 characters")
        return value


def body_of(
    model: type[Payload], limit_bytes: int = BODY_LIMIT_BYTES
) -> Callable[[Request], Awaitable[Payload]]:
    """A dependency that reads the request's body as `model`, whatever its Content-Type.

    Raises HttpError: 413 beyond `limit_bytes`, 400 naming the field for all else.
    """

    async def read(request: Request) -> Payload:
        try:
            data = orjson.loads(await bounded_body(request, limit_bytes))
        except orjson.JSONDecodeError as error:
            raise HttpError.bad_field(
                "body", f"not valid JSON (at character {error.pos})"
            ) from None
        if not isinstance(data, dict):
            raise HttpError.bad_field("body", "must be a JSON object")
        try:
            return model.parse_obj(data)
        except ValidationError as error:
            raise HttpError(400, problems_of(error.errors())) from None

    return read


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """The body's schema for the OpenAPI page, which cannot see into `body_of`."""
    content = {"application/json": {"schema": model.schema()}}
    return {"requestBody": {"required": True, "content": content}}


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in _UNPRINTABLE and character not in _JOINERS


def _problem_in(value: Any, depth_left: int) -> str | None:
    """Why the value cannot be kept, or None where it can."""
    if isinstance(value, dict | list) and depth_left == 0:
        return f"must not be nested deeper than {METADATA_DEPTH} levels"
    if isinstance(value, dict):
        for key, item in value.items():
            if not key or len(key) > KEY_LENGTH or key.startswith("$") or "\0" in key:
                return f"has a key that is empty, over {KEY_LENGTH} long or begins with $"
            problem = _problem_in(item, depth_left - 1)
            if problem:
                return problem
    elif isinstance(value, list):
        return next(filter(None, (_problem_in(item, depth_left - 1) for item in value)), None)
    elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return "has a number that is too large"
    return None
