"""Cities by name as one block of bytes: made once, kept as a file, then only mapped into memory.

Making it takes more than a second of processor time (some 400,000 names), and every server of a
host would pay it at every start. The file lies in the user's cache directory
(`$XDG_CACHE_HOME`, else `~/.cache`); where none can be written the index is made in memory.

A block is a heading (struct `_HEADING`), the names' hashes in order, for each the number of its
city, where each city's row begins, and the rows, ordered by country.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import sys
import tempfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import orjson

FOLDER = "ocpi-cpo-backend"
_CITY_BITS = 24
_HEADING = struct.Struct("=IIQQQ")
"""CRC-32 of all that follows, of what the block was made from, names, cities, bytes in all."""


class City(NamedTuple):
    """One populated place; coordinates in degrees WGS 84, `time_zone` an IANA name."""

    name: str
    alpha2: str
    admin1: str
    latitude: float
    longitude: float
    time_zone: str
    population: int


class BadBlock(Exception):
    """Damaged, of another version, or made from other data."""


@dataclass(frozen=True, slots=True)
class CityIndex:
    """Read only; shared by all processes that map the same file."""

    hashes: memoryview
    numbers: memoryview
    starts: memoryview
    rows: memoryview

    @classmethod
    def of(cls, block: bytes | mmap.mmap, made_from: int) -> CityIndex:
        """Raises BadBlock."""
        view = memoryview(block)
        if len(view) < _HEADING.size:
            raise BadBlock
        crc, source, names, cities, length = _HEADING.unpack_from(view)
        if source != made_from or length != len(view) or crc != zlib.crc32(view[4:]):
            raise BadBlock
        numbers_at = _HEADING.size + 8 * names
        starts_at = numbers_at + 8 * names
        rows_at = starts_at + 8 * (cities + 1)
        return cls(
            hashes=view[_HEADING.size : numbers_at].cast("Q"),
            numbers=view[numbers_at:starts_at].cast("Q"),
            starts=view[starts_at:rows_at].cast("Q"),
            rows=view[rows_at:],
        )

    def named(self, key: str) -> Iterator[City]:
        """The cities with a name that normalises to `key`."""
        wanted = _hash(key)
        at = bisect_left(self.hashes, wanted)
        while at < len(self.hashes) and self.hashes[at] == wanted:
            yield self._city(self.numbers[at])
            at += 1

    def all(self) -> Iterator[City]:
        return (self._city(number) for number in range(len(self.starts) - 1))

    def within(self, alpha2: str) -> Iterator[City]:
        """All cities of one country."""
        number = bisect_left(range(len(self.starts) - 1), alpha2, key=self._country)
        while number < len(self.starts) - 1:
            city = self._city(number)
            if city.alpha2 != alpha2:
                return
            yield city
            number += 1

    def _country(self, number: int) -> str:
        return self._city(number).alpha2

    def _city(self, number: int) -> City:
        return City(*orjson.loads(self.rows[self.starts[number] : self.starts[number + 1]]))


def block_of(cities: Iterable[tuple[City, Iterable[str]]], made_from: int) -> bytes:
    """A block of cities, each with its names as they are looked for."""
    ordered = sorted(cities, key=lambda row: row[0].alpha2)
    entries = sorted(
        {
            (_hash(name) << _CITY_BITS) | number
            for number, (_, names) in enumerate(ordered)
            for name in names
        }
    )
    starts, rows = array("Q", [0]), bytearray()
    for city, _ in ordered:
        rows += orjson.dumps(tuple(city))
        starts.append(len(rows))
    body = b"".join(
        (
            array("Q", (entry >> _CITY_BITS for entry in entries)),
            array("Q", (entry & ((1 << _CITY_BITS) - 1) for entry in entries)),
            starts,
            rows,
        )
    )
    length = _HEADING.size + len(body)
    heading = _HEADING.pack(0, made_from, len(entries), len(ordered), length)
    crc = zlib.crc32(body, zlib.crc32(heading[4:]))
    return _HEADING.pack(crc, made_from, len(entries), len(ordered), length) + body


def kept(name: str, made_from: int, make: Callable[[], bytes]) -> CityIndex:
    """The index in the cache's file of that name; made (and kept) where it is not there, is
    damaged, or was made from something else."""
    found = mapped(name, made_from)
    if found is not None:
        return found
    block = make()
    with contextlib.suppress(OSError, RuntimeError):
        _write(_file(name), block)
    return mapped(name, made_from) or CityIndex.of(block, made_from)


def mapped(name: str, made_from: int) -> CityIndex | None:
    """The index in the cache's file of that name; None: there is none, or it is no good."""
    bad = (OSError, RuntimeError, ValueError, BadBlock)
    with contextlib.suppress(*bad), _file(name).open("rb") as opened:
        block = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        index = CityIndex.of(block, made_from)
        if sys.platform == "linux":
            # It was read from end to end to be checked; of seven megabytes few are ever looked at.
            block.madvise(mmap.MADV_DONTNEED)
        return index
    return None


def can_keep() -> bool:
    """Whether there is a cache to write into."""
    with contextlib.suppress(OSError, RuntimeError):
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.access(_folder(), os.W_OK)
    return False


def _file(name: str) -> Path:
    """Raises RuntimeError for a user without a home."""
    return _folder() / f"{name}.places"


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / FOLDER


def _write(file: Path, block: bytes) -> None:
    """Whole or not at all: other processes may be reading, or writing the same."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(block)
        Path(path).replace(file)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
