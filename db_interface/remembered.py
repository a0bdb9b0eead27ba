"""What a transaction has read, and what it will write when it ends (a unit of work).

Inside a transaction every read sees one moment, and what the transaction itself has written since.
So a question that was asked before has its answer already, until something in that collection is
written; and what one document becomes step by step can be written once. Each question and each
write costs the driver and the server a round trip, which is most of what a transaction costs.

Nothing here is seen from outside the transaction, nor outlives an attempt of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from bson import CodecOptions, decode, encode

from db_interface.json_data import JsonMapping, JsonObject

T = TypeVar("T")

MAX_KEPT = 100
"""Documents of one answer: longer lists are asked for again."""
_CODEC: CodecOptions[dict[str, object]] = CodecOptions(tz_aware=True)


class Remembered:
    """Of one collection. Copies are handed out: their readers change them as they like."""

    def __init__(self) -> None:
        self._answers: dict[str, list[JsonObject]] = {}
        self._whole: dict[str, JsonObject | None] = {}
        """By _id; None: there is no such document."""
        self._later: dict[str, JsonObject] = {}

    def answer(self, question: str) -> list[JsonObject] | None:
        """The answer to exactly that question, if it is known."""
        found = self._answers.get(question)
        return None if found is None else copied(found)

    def keep_answer(self, question: str, found: Sequence[JsonObject]) -> None:
        if len(found) <= MAX_KEPT:
            self._answers[question] = copied(list(found))

    def knows(self, key: str) -> bool:
        """Whether the whole document of that _id is known, or that there is none."""
        return key in self._whole

    def document(self, key: str, fields: JsonMapping | None) -> JsonObject | None:
        """It, or (at least) these fields of it."""
        whole = self._whole[key]
        if whole is None or fields is None:
            return copied(whole)
        wanted = {name.split(".", 1)[0] for name in fields}
        if fields.get("_id", 1):
            wanted.add("_id")
        return copied({name: value for name, value in whole.items() if name in wanted})

    def keep_document(self, key: str, whole: JsonObject | None) -> None:
        self._whole[key] = copied(whole)

    def set_later(self, key: str, changes: JsonMapping) -> bool:
        """Fields of a document that is known whole; False: it is not, write them now."""
        whole = self._whole.get(key)
        if whole is None:
            return False
        as_stored: JsonObject = decode(encode(changes), _CODEC)
        self._whole[key] = {**whole, **as_stored}
        self._later.setdefault(key, {}).update(as_stored)
        self._answers.clear()
        return True

    @property
    def waits(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self._later)

    def taken_later(self) -> dict[str, JsonObject]:
        """By _id what is to be set; it is the caller's to write now."""
        later, self._later = self._later, {}
        return later

    def forget(self, key: str | None = None) -> None:
        """The collection (of it only the document `key`) is about to be written."""
        self._answers.clear()
        if key is None:
            self._whole.clear()
        else:
            self._whole.pop(key, None)


def key_of(query: JsonMapping) -> str | None:
    """The _id that is all that the query asks for."""
    key = query.get("_id")
    return key if len(query) == 1 and isinstance(key, str) else None


def is_plain(fields: JsonMapping | None) -> bool:
    """Whether it names fields that are wanted, and nothing else."""
    return fields is None or all(
        value == 1 or (name == "_id" and value == 0) for name, value in fields.items()
    )


def copied(value: T) -> T:
    """Its dicts and lists anew; what they hold cannot be changed."""
    if isinstance(value, dict):
        return {name: copied(one) for name, one in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [copied(one) for one in value]  # type: ignore[return-value]
    return value
