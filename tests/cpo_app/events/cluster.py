"""A Kafka cluster out of the client library (it speaks the real protocol), and what is read of it.

`python -m tests.cpo_app.events.cluster`: one in a process of its own, that may be stopped; it says
where it is.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from confluent_kafka import Producer

from cpo_app.kafka.options import client_options
from cpo_app.kafka.reader import EventReader
from domain.events.kinds import KINDS
from tests.settings_of import settings_of

QUIET = logging.getLogger("tests.kafka")
QUIET.setLevel(logging.CRITICAL)


class Cluster:
    """One broker that lives as long as this object."""

    def __init__(self) -> None:
        mock: dict[str, Any] = {"bootstrap.servers": "mock", "test.mock.num.brokers": 1}
        self._holder = Producer(mock, logger=QUIET)
        (broker,) = self._holder.list_topics(timeout=10).brokers.values()
        self.address = f"{broker.host}:{broker.port}"


@dataclass
class Got:
    topic: str
    partition: int
    key: str
    event: dict[str, Any]


class Consumer:
    """All events of the topics with this prefix, from the first on, in order of each partition."""

    def __init__(self, address: str, prefix: str) -> None:
        settings = settings_of(CPO_KAFKA_BROKERS=address)
        topics = [f"{prefix}{kind}" for kind in KINDS]
        options = client_options(settings, "test")
        self._reader = EventReader(options, topics, from_beginning=True)
        self.got: list[Got] = []

    def until(self, condition: Callable[[list[Got]], object], timeout_s: float = 30) -> list[Got]:
        ends = time.monotonic() + timeout_s
        while not condition(self.got):
            assert time.monotonic() < ends, f"it never came to hold: {self.got}"
            self.read()
        return self.got

    def read(self) -> list[Got]:
        for one in self._reader.read(0.1):
            got = Got(one.topic, one.partition, one.key, orjson.loads(one.value))
            self.got.append(got)
        return self.got

    def until_there_is(self, number: int) -> list[Got]:
        return self.until(lambda got: len(got) >= number)

    def last_of(self, topic: str) -> dict[str, dict[str, Any]]:
        """By key, what the latest event says."""
        return {one.key: one.event["data"] for one in self.got if one.topic.endswith(topic)}

    def close(self) -> None:
        self._reader.close()


if __name__ == "__main__":
    cluster = Cluster()
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    sys.stdin.read()
