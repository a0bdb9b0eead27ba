"""A request's body is read up to its limit and no further, whatever it announces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.types import Message

from cpo_app.bounded_body import bounded_body
from cpo_app.http_errors import HttpError

LIMIT = 10


class Sender:
    """Sends these chunks, and counts those that were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.taken = 0

    async def receive(self) -> Message:
        chunk = next(self._chunks, None)
        self.taken += chunk is not None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}


def read(sender: Sender, announced: bytes | None = None) -> bytes:
    headers = [] if announced is None else [(b"content-length", announced)]
    scope = {"type": "http", "method": "POST", "headers": headers}
    return asyncio.run(bounded_body(Request(scope, sender.receive), LIMIT))


@pytest.mark.parametrize("chunks", [[], [b"0123456789"], [b"01234", b"56789"], [b"", b"0"]])
def test_what_just_fits_is_read_whole(chunks: list[bytes]) -> None:
    assert read(Sender(chunks)) == b"".join(chunks)


def test_beyond_the_limit_nothing_more_is_taken() -> None:
    endless = Sender(iter(lambda: b"012345", None))

    with pytest.raises(HttpError) as refused:
        read(endless)

    assert (refused.value.status_code, endless.taken) == (413, 2)
    assert refused.value.detail == "body: larger than 10 bytes"


@pytest.mark.parametrize("announced", [b"11", b"9" * 5000])
def test_what_announces_too_much_is_refused_before_its_first_byte(announced: bytes) -> None:
    sender = Sender([b"0"])

    with pytest.raises(HttpError):
        read(sender, announced)

    assert sender.taken == 0


@pytest.mark.parametrize("announced", [b"1", b"-1", b"x", b"\xb2"])
def test_an_announcement_that_lies_lets_nothing_more_in(announced: bytes) -> None:
    with pytest.raises(HttpError):
        read(Sender([b"0" * 11]), announced)
