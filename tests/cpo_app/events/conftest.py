"""A store, a Kafka cluster, and the sender between them, in the tests' own loop."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cpo_app.events.sender import EventSender
from cpo_app.settings import Settings
from db_interface.database import Database
from domain.events import stream
from tests.conftest import Loop
from tests.cpo_app.events.cluster import Cluster, Consumer
from tests.cpo_app.ocpi.push.conftest import House as PushHouse
from tests.settings_of import settings_of


@dataclass
class House(PushHouse):
    """`prefix`: this test's topics, in a cluster that others use, too."""

    cluster: str = ""
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}.")

    def settings(self, **changed: Any) -> Settings:
        given = {
            "CPO_KAFKA_BROKERS": self.cluster,
            "CPO_KAFKA_TOPIC_PREFIX": self.prefix,
            # The library's own cluster makes them when they are asked for, and only then.
            "CPO_KAFKA_CREATE_TOPICS": False,
        }
        return settings_of(**{**given, **changed})

    def register(self) -> None:
        """As a server with brokers does, which then goes away."""
        self.loop.run(stream.register(self.db, self.cluster))

    def consumer(self) -> Consumer:
        consumer = Consumer(self.cluster, self.prefix)
        self.stack.callback(consumer.close)
        return consumer

    def sender(self, **changed: Any) -> EventSender:
        return self.stack.enter_context(self.sending(**changed))

    @contextlib.contextmanager
    def sending(self, *, take_at_most_s: float = 10.0, **changed: Any) -> Iterator[EventSender]:
        sender = EventSender(self.settings(**changed), self.store, take_at_most_s=take_at_most_s)

        async def start() -> None:
            sender.start()

        self.loop.run(start())
        self.until(lambda: self.stream() is not None)
        stream.look_again(self.db)
        try:
            yield sender
        finally:
            self.loop.run(sender.stop())

    def event_marks(self) -> list[dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return await self.db["event_marks"].find().sort("_id", 1).to_list(None)

        return self.loop.run(read())

    def until_all_is_told(self, timeout_s: float = 20) -> None:
        self.until(lambda: not self.event_marks(), timeout_s)

    def stream(self) -> stream.Stream | None:
        return self.loop.run(stream.stream_of(self.db))


@pytest.fixture(scope="session")
def cluster() -> str:
    found = Cluster()
    _KEPT.append(found)
    return found.address


_KEPT: list[Cluster] = []


@pytest.fixture
def house(db: Database, loop: Loop, cluster: str) -> Iterator[House]:
    stream.look_again(db)
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack, cluster=cluster)
    stream.look_again(db)
