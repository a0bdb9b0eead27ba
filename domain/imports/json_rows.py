"""The objects of a JSON file one after the other, however large the file is.

What is taken: one OCPI object, a list of them, or an OCPI answer around either. Anything else is
recognised by its keys before an object is read. The memory that is needed goes by the largest
object, which is bounded: a compressed file may grow to any size when it is unpacked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Protocol

import ijson
from ijson.common import JSONError

MAX_OBJECT_BYTES = 16_000_000
_MAX_EVENTS = 200_000
"""How many bytes of a file are searched for its keys: more than the largest single object has."""
_MAX_KEYS = 12
_CHUNK = 64 * 1024


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


Open = Callable[[], AbstractContextManager[Readable]]
"""Opens the file again, from its first byte; unpacked."""


class NotOcpi(ValueError):
    """The file holds something else than OCPI objects; the message says what it should."""


class _Metered:
    """A stream that ends the reading when one object takes too much."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.since_last_object = 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self.since_last_object += len(chunk)
        if self.since_last_object > MAX_OBJECT_BYTES:
            raise NotOcpi(f"an object of more than {MAX_OBJECT_BYTES // 1_000_000} MB")
        return chunk


def rows_of(open_file: Open, what: str) -> Iterator[Any]:
    """The file's objects; `what` they should be, for the message ("locations").

    Raises NotOcpi: also in the middle, for a file that is broken there.
    """
    try:
        prefix = _where_objects_are(open_file, what)
        with open_file() as stream:
            metered = _Metered(stream)
            for row in ijson.items(metered, prefix, use_float=True, buf_size=_CHUNK):
                metered.since_last_object = 0
                yield row
    except (JSONError, UnicodeDecodeError) as error:
        raise NotOcpi(f"not valid JSON: {_first_line(error)}") from error


def _where_objects_are(open_file: Open, what: str) -> str:
    """ijson's prefix of the objects. Raises NotOcpi."""
    with open_file() as stream:
        events = ijson.basic_parse(_Metered(stream), use_float=True, buf_size=_CHUNK)
        kind, _ = next(events, (None, None))
        if kind == "start_array":
            return "item"
        if kind != "start_map":
            raise NotOcpi(f"this is neither an OCPI object, a list of {what}, nor an OCPI answer")
        keys: list[str] = []
        depth = 1
        for kind, value in islice(events, _MAX_EVENTS):
            if depth == 1 and kind == "map_key":
                keys.append(str(value))
                if value == "id":
                    return ""
                continue
            if depth == 1 and keys[-1:] == ["data"] and kind in ("start_array", "start_map"):
                return "data.item" if kind == "start_array" else "data"
            if kind is not None and kind.startswith("start_"):
                depth += 1
            elif kind is not None and kind.startswith("end_"):
                depth -= 1
    shown = ", ".join(keys[:_MAX_KEYS]) + (", ..." if len(keys) > _MAX_KEYS else "")
    raise NotOcpi(f"this is not a list of OCPI {what}; keys: {printable(shown) or 'none'}")


def printable(text: str, longest: int = 200) -> str:
    """Text out of a file as a terminal may show it."""
    clean = "".join(sign if sign.isprintable() else "?" for sign in text)
    return clean if len(clean) <= longest else f"{clean[: longest - 4]} ..."


def _first_line(error: Exception) -> str:
    return printable(str(error).strip().splitlines()[0] if str(error).strip() else "broken off")
