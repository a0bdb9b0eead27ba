"""Parts that were compressed singly are one file for every reader."""

from __future__ import annotations

import gzip
import random

import pytest

from domain.open_data.gzip_parts import gzip_stream, packed

SIZES = [[], [0], [1], [3, 0, 5], [100_000, 1, 70_001], [65_536, 2, 2, 2]]


def contents(sizes: list[int]) -> list[bytes]:
    drawn = random.Random(len(sizes))
    return [bytes(drawn.choices(b'{"id":"LOC1",}', k=size)) for size in sizes]


@pytest.mark.parametrize("sizes", SIZES)
def test_what_is_read_is_what_was_written(sizes: list[int]) -> None:
    parts = contents(sizes)
    # gzip looks at the checksum and the length.
    assert gzip.decompress(b"".join(gzip_stream(map(packed, parts)))) == b"".join(parts)


def test_a_part_gives_its_content_back() -> None:
    (content,) = contents([5_000])
    part = packed(content)
    assert (part.content(), part.size) == (content, 5_000)
    assert len(part.data) < 3_000


def test_a_part_looks_back_at_nothing_before_it() -> None:
    first, second = map(packed, contents([40_000, 40_000]))
    assert gzip.decompress(b"".join(gzip_stream([second, first]))) == (
        second.content() + first.content()
    )
