"""The brokers: whether they answer, which of our topics they have, and making those they have not.

Blocks: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from cpo_app.kafka.options import LIBRARY, Options, client_options, topics_of
from cpo_app.settings import Settings

_BROKERS_OWN = -1
"""As many copies as the brokers make of any topic."""


class BrokersAway(Exception):
    """They do not answer, or do not let us in; the message says why."""


@dataclass(frozen=True)
class Seen:
    """`missing`: topics of ours that are not there; `unusable`: why others cannot be used."""

    brokers: int
    missing: tuple[str, ...]
    unusable: Mapping[str, str]


class Brokers:
    def __init__(self, settings: Settings, within_s: float = 5.0) -> None:
        self._settings = settings
        self._within_s = within_s
        self._complaint = ""
        options = client_options(settings, "cpo-events-admin")
        # The library's types know of values only, its AdminClient of calls, too.
        given = cast("Options", {**options, "error_cb": self._complain})
        try:
            self._admin = AdminClient(given, logger=LIBRARY)
        except KafkaException as error:
            raise BrokersAway(said(error)) from None

    def look(self) -> Seen:
        """Raises BrokersAway."""
        try:
            found = self._admin.list_topics(timeout=self._within_s)
        except KafkaException as error:
            raise BrokersAway(self._complaint or said(error)) from None
        ours = topics_of(self._settings).values()
        unusable = {name: found.topics[name].error for name in ours if name in found.topics}
        return Seen(
            brokers=len(found.brokers),
            missing=tuple(name for name in ours if name not in found.topics),
            unusable={name: error.str() for name, error in unusable.items() if error is not None},
        )

    def make(self, topics: tuple[str, ...], *, try_only: bool = False) -> Mapping[str, str]:
        """Make these topics (`try_only`: ask whether they could be made); why any of them could
        not."""
        partitions = self._settings.CPO_KAFKA_PARTITIONS
        wanted = [
            NewTopic(name, num_partitions=partitions, replication_factor=_BROKERS_OWN)
            for name in topics
        ]
        failed = {}
        for name, made in self._admin.create_topics(
            wanted,
            request_timeout=self._within_s,
            operation_timeout=self._within_s,
            validate_only=try_only,
        ).items():
            try:
                made.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    failed[name] = said(error)
        return failed

    def _complain(self, error: KafkaError) -> None:
        self._complaint = error.str()


def said(error: KafkaException) -> str:
    """What the library says of it, in one line."""
    cause = error.args[0]
    return cause.str() if isinstance(cause, KafkaError) else str(cause)
