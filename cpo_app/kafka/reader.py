"""Events in, for whoever looks at them: from now on, or from the beginning of the topics.

Belongs to no consumer group that lasts, and commits nothing. Blocks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from cpo_app.kafka.brokers import BrokersAway, said
from cpo_app.kafka.options import LIBRARY, Options

_ANSWER_WITHIN_S = 5.0
_AT_ONCE = 500


@dataclass(frozen=True)
class Incoming:
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes


class EventReader:
    """`topics` may be made later: each is read as soon as it is there."""

    def __init__(
        self,
        options: Options,
        topics: Sequence[str],
        *,
        from_beginning: bool = False,
    ) -> None:
        self._wanted = set(topics)
        self._start = OFFSET_BEGINNING if from_beginning else OFFSET_END
        self._known: dict[tuple[str, int], TopicPartition] = {}
        given = {
            **options,
            "group.id": f"cpo-events-tail-{uuid.uuid4()}",
            "enable.auto.commit": False,
        }
        try:
            self._consumer = Consumer(given, logger=LIBRARY)
        except KafkaException as error:
            raise BrokersAway(said(error)) from None
        self._look()

    def read(self, within_s: float = 1.0) -> Iterator[Incoming]:
        """What comes within that time."""
        messages = self._consumer.consume(_AT_ONCE, within_s) if self._known else []
        if not messages:
            self._look()
        for message in messages:
            error = message.error()
            if error is not None:
                if error.retriable() or error.code() == KafkaError._PARTITION_EOF:
                    continue
                raise BrokersAway(error.str())
            yield Incoming(
                topic=message.topic() or "",
                partition=message.partition() or 0,
                offset=message.offset() or 0,
                key=_text(message.key()),
                value=_bytes(message.value()),
            )

    def close(self) -> None:
        self._consumer.close()

    def _look(self) -> None:
        """Take up partitions that have come; those that came after the others are read whole."""
        try:
            found = self._consumer.list_topics(timeout=_ANSWER_WITHIN_S).topics
        except KafkaException as error:
            raise BrokersAway(said(error)) from None
        new = [
            TopicPartition(name, partition, self._start)
            for name in self._wanted & found.keys()
            for partition in found[name].partitions
            if (name, partition) not in self._known
        ]
        if new:
            self._consumer.incremental_assign(new)
            self._known |= {(one.topic, one.partition): one for one in new}
        self._start = OFFSET_BEGINNING


def _text(value: str | bytes | None) -> str:
    return _bytes(value).decode(errors="replace")


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
