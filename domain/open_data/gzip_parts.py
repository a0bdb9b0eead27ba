"""One gzip stream out of parts that were compressed singly: who changes one part of a long
document compresses that one anew, and no other. Pure.

A part is raw deflate (RFC 1951) that ends at a whole byte and looks back at nothing before it, so
parts may stand one after the other in any stream. The checksum at the stream's end (RFC 1952) is
that of all content; it follows from those of the parts, without their content.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

FAST = 1
"""How hard it tries: trying harder takes several times as long for a few percent."""

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
"""Polynomials over two elements, the lowest power in the highest bit, as CRC-32 has them."""
_X = 1 << 30


class Packed(NamedTuple):
    """Content, compressed: its bytes, how long it was, and its checksum."""

    data: bytes
    size: int
    crc: int

    def content(self) -> bytes:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.data)


def packed(content: bytes) -> Packed:
    compressor = zlib.compressobj(FAST, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Packed(data, len(content), zlib.crc32(content))


def gzip_stream(parts: Iterable[Packed]) -> Iterator[bytes]:
    """The pieces of a gzip file that holds the parts' contents, one after the other."""
    yield _HEADER
    crc = size = 0
    for part in parts:
        yield part.data
        crc = _times(_x_to_the(8 * part.size), crc) ^ part.crc
        size += part.size
    yield _LAST_BLOCK + crc.to_bytes(4, "little") + (size % (1 << 32)).to_bytes(4, "little")


def _times(one: int, other: int) -> int:
    """The product of two polynomials, modulo CRC-32's."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = one << 1 & 0xFFFFFFFF
        other = other >> 1 ^ _POLYNOMIAL if other & 1 else other >> 1
    return product


@lru_cache(maxsize=64)
def _squared(times: int) -> int:
    """x, squared so many times."""
    if not times:
        return _X
    root = _squared(times - 1)
    return _times(root, root)


@lru_cache(maxsize=1024)
def _x_to_the(power: int) -> int:
    product = _ONE
    for bit in range(power.bit_length()):
        if power >> bit & 1:
            product = _times(_squared(bit), product)
    return product
