"""Events out to the brokers: a batch at a time, each acknowledged by all replicas in sync.

Blocks: call it in a thread, one at a time. What is not acknowledged in time is given up, and never
goes out later: whoever asked tries again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from cpo_app.kafka.brokers import BrokersAway, said
from cpo_app.kafka.options import LIBRARY, Options
from domain.events.event import CONTENT_TYPE

TAKES_AT_MOST_S = 10.0
"""For one batch."""
_SLICE_S = 0.2
_GIVEN_UP_S = 2.0
_OF_ONE = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
    }
)
"""What is wrong with an event or its topic: others can be sent."""


@dataclass(frozen=True)
class Outgoing:
    topic: str
    key: str
    value: bytes


@dataclass(frozen=True)
class NotTaken:
    """`alone`: it concerns this event or its topic; else the brokers take nothing."""

    why: str
    alone: bool


class EventProducer:
    """Raises BrokersAway where the settings cannot be used."""

    def __init__(self, options: Options, within_s: float = TAKES_AT_MOST_S) -> None:
        self._within_s = within_s
        self._stopping = False
        self._complaint = ""
        given = {
            **options,
            "enable.idempotence": True,  # in order, and once: acks of all are part of it
            "linger.ms": 5,
            "compression.type": "lz4",
            "message.timeout.ms": round(within_s * 1000),
            # As Java's clients do it: streams and tables of others find the same partitions.
            "partitioner": "murmur2_random",
            "error_cb": self._complain,
        }
        try:
            self._producer = Producer(given, logger=LIBRARY)
        except KafkaException as error:
            raise BrokersAway(said(error)) from None

    def send(self, events: Sequence[Outgoing]) -> list[NotTaken | None]:
        """What became of each; None: the brokers have it for good."""
        became: list[NotTaken | None] = [_UNANSWERED] * len(events)
        for place, event in enumerate(events):
            try:
                self._producer.produce(
                    event.topic,
                    key=event.key,
                    value=event.value,
                    headers=[("content-type", CONTENT_TYPE.encode())],
                    on_delivery=partial(self._answered, became, place),
                )
            except BufferError:
                became[place] = NotTaken("too much waits to be sent", alone=False)
            except KafkaException as error:
                became[place] = self._not_taken(error.args[0])
        ends = time.monotonic() + self._within_s + _GIVEN_UP_S
        while self._producer.flush(_SLICE_S):
            if self._stopping or time.monotonic() > ends:
                self._give_up()
                break
        return became

    def stop(self) -> None:
        """Have `send` of another thread end soon."""
        self._stopping = True

    def close(self) -> None:
        self._give_up()

    def _give_up(self) -> None:
        self._producer.purge()
        self._producer.flush(_SLICE_S)

    def _answered(
        self,
        became: list[NotTaken | None],
        place: int,
        error: KafkaError | None,
        _: Message,
    ) -> None:
        became[place] = None if error is None else self._not_taken(error)

    def _not_taken(self, error: KafkaError) -> NotTaken:
        why = error.str()
        if error.code() in _OF_ONE:
            return NotTaken(why, alone=True)
        return NotTaken(self._complaint or why, alone=False)

    def _complain(self, error: KafkaError) -> None:
        self._complaint = error.str()


_UNANSWERED = NotTaken("the brokers did not answer in time", alone=False)
