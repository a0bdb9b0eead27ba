"""The settings as librdkafka calls them, and the names of topics. Loads nothing of the library."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cpo_app.settings import Settings
from domain.events.kinds import KINDS

Options = dict[str, str | int | float | bool]

LIBRARY = logging.getLogger("cpo.kafka")
"""What the library itself says, many lines for brokers that are away: heard at DEBUG alone. Who
uses it says what matters, once."""
LIBRARY.addFilter(lambda _: logging.getLogger("cpo").isEnabledFor(logging.DEBUG))


def client_options(settings: Settings, client_id: str) -> Options:
    """What every client of the brokers is made with."""
    options: Options = {
        "bootstrap.servers": settings.CPO_KAFKA_BROKERS,
        "client.id": client_id,
        "security.protocol": settings.CPO_KAFKA_SECURITY_PROTOCOL,
        # Found again soon after it was away; every client at another moment.
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 5000,
        "socket.keepalive.enable": True,
    }
    if settings.CPO_KAFKA_USERNAME:
        options["sasl.mechanism"] = settings.CPO_KAFKA_SASL_MECHANISM
        options["sasl.username"] = settings.CPO_KAFKA_USERNAME
        options["sasl.password"] = settings.CPO_KAFKA_PASSWORD
    for name, value in (
        ("ssl.ca.location", settings.CPO_KAFKA_CA_FILE),
        ("ssl.certificate.location", settings.CPO_KAFKA_CERT_FILE),
        ("ssl.key.location", settings.CPO_KAFKA_KEY_FILE),
    ):
        if value:
            options[name] = value
    return options


def topic_of(settings: Settings, kind: str) -> str:
    return f"{settings.CPO_KAFKA_TOPIC_PREFIX}{kind}"


def topics_of(settings: Settings) -> Mapping[str, str]:
    """The topic of each kind of events."""
    return {kind: topic_of(settings, kind) for kind in KINDS}
