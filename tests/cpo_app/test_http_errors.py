"""One shape and one set of words for the errors of EV_Registry, EV_Central and the engine."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from cpo_app.http_errors import HttpError, answer_of, error_word, problems_of
from domain.times import parse_datetime


class Wheel(BaseModel):
    size: int
    name: str


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "bad_request"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (409, "conflict"),
        (413, "too_large"),
        (415, "unsupported_media_type"),
        (429, "too_many_requests"),
        (500, "internal_error"),
        (501, "not_implemented"),
        (503, "unavailable"),
    ],
)
def test_each_status_has_its_word(status: int, word: str) -> None:
    assert error_word(status) == word


def test_the_shape_and_the_headers() -> None:
    answer = answer_of(HttpError(503, "not now", {"Retry-After": "2"}))

    body = json.loads(answer.body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert {**body, "timestamp": None} == {
        "error": "unavailable",
        "detail": "not now",
        "timestamp": None,
    }
    assert parse_datetime(body["timestamp"])


def test_a_word_of_its_own_and_the_routers_errors() -> None:
    own = answer_of(HttpError(404, "it has ended", error="UNKNOWN_SESSION"))
    routers = answer_of(HTTPException(405))

    assert json.loads(own.body)["error"] == "UNKNOWN_SESSION"
    assert json.loads(routers.body)["detail"] == "Method Not Allowed"


def test_problems_name_the_fields_and_never_their_values() -> None:
    with pytest.raises(ValidationError) as caught:
        Wheel.parse_obj({"size": "a secret"})

    assert problems_of(caught.value.errors()) == (
        "size: value is not a valid integer; name: field required"
    )
    requests = [{"loc": ("query", "limit"), "msg": "too small", "type": "value_error"}]
    assert problems_of(requests) == "limit: too small"
    assert problems_of([{"loc": ("body",), "msg": "field required", "type": "missing"}]) == (
        "body: field required"
    )
    broken = {"loc": ("body", 7), "msg": "here it broke", "type": "value_error.jsondecode"}
    assert problems_of([broken]) == "body: not valid JSON"
