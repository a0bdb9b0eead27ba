"""An event, and how it is said: a CloudEvent 1.0 in JSON (structured mode). Pure.

`id` follows from the object and its state alone: who is told the same twice, because a process
died in between, can tell by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from domain.events.kinds import type_of
from domain.times import format_datetime

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
SPEC_VERSION = "1.0"


@dataclass(frozen=True)
class Event:
    """`state`: by what one state of the object is told from another. `offered`: whether any peer
    may see the object, where that is a question."""

    kind: str
    key: str
    subject: str
    state: str
    time: datetime
    schema: str
    data: bytes
    offered: bool | None = None
    gone: bool = False

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.key}@{self.state}"

    def said(self, source: str, type_prefix: str) -> bytes:
        """The event as consumers read it."""
        attributes: dict[str, object] = {
            "specversion": SPEC_VERSION,
            "id": self.id,
            "source": source,
            "type": f"{type_prefix}{type_of(self.kind, gone=self.gone)}",
            "subject": self.subject,
            "time": format_datetime(self.time),
            "datacontenttype": "application/json",
            "dataschema": self.schema,
            "partitionkey": self.key,
        }
        if self.offered is not None:
            attributes["offered"] = self.offered
        return orjson.dumps({**attributes, "data": orjson.Fragment(self.data)})
