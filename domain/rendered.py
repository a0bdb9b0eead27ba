"""What reads hand upwards: objects that are already JSON, and pages of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson


class Rendered(bytes):
    """An OCPI object as the JSON bytes that go on the wire."""

    def plain(self) -> dict[str, Any]:
        # orjson takes no subclass of bytes.
        return orjson.loads(memoryview(self))


class Listing(list[bytes]):
    """A page of objects as JSON bytes.

    `last_seq` is where the next one continues (None: unknown, use the offset).
    """

    last_seq: int | None

    def __init__(self, objects: Iterable[bytes], last_seq: int | None) -> None:
        super().__init__(objects)
        self.last_seq = last_seq
