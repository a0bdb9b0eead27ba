"""What reads hand upwards: objects that are already JSON, and pages of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import orjson

from db_interface.json_data import JsonObject


class Rendered(bytes):
    """An OCPI object as the JSON bytes that go on the wire."""

    def plain(self) -> JsonObject:
        # orjson takes no subclass of bytes.
        found: JsonObject = orjson.loads(memoryview(self))
        return found


class Listing(list[bytes]):
    """A page of objects as JSON bytes.

    `last_seq` is where the next one continues (None: unknown, use the offset), `as_of` the moment
    that it has to be read as of (None: its own), and then all its pages say the same total.
    """

    last_seq: int | None
    as_of: datetime | None

    def __init__(
        self, objects: Iterable[bytes], last_seq: int | None, as_of: datetime | None = None
    ) -> None:
        super().__init__(objects)
        self.last_seq = last_seq
        self.as_of = as_of
