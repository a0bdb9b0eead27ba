"""Events to Kafka."""

import re
from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import check_host

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{0,200}")
_TYPE = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*\.)*")


class KafkaSettings(BaseSettings):
    """Events to Kafka.

    What changes here, as events for others to read: [events.md](events.md).
    """

    read_by: ClassVar[Reader] = "serve and commands"

    CPO_KAFKA_BROKERS: str = setting(
        "",
        "`host:port`, several parted by commas: changes go there as events; empty: none do",
    )
    CPO_KAFKA_TOPIC_PREFIX: str = setting(
        "cpo.",
        "what stands before the names of topics (`cpo.locations`)",
    )
    CPO_KAFKA_CREATE_TOPICS: bool = setting(
        True,
        "topics that are not there are made, as the brokers' defaults say",
    )
    CPO_KAFKA_PARTITIONS: int = setting(
        6,
        "of a topic that is made here",
        ge=1,
        le=10_000,
    )
    CPO_KAFKA_TYPE_PREFIX: str = setting(
        "org.ocpi.",
        "what stands before the types of events (`org.ocpi.location.changed`): a domain of yours, "
        "reversed, with a full stop at its end",
    )
    CPO_KAFKA_SECURITY_PROTOCOL: str = setting(
        "PLAINTEXT",
        f"how brokers are spoken to: {', '.join(f'`{name}`' for name in PROTOCOLS)}",
    )
    CPO_KAFKA_SASL_MECHANISM: str = setting(
        "SCRAM-SHA-512",
        f"where the protocol is a `SASL_` one: {', '.join(f'`{name}`' for name in MECHANISMS)}",
    )
    CPO_KAFKA_USERNAME: str = setting("", "who we are to the brokers, where it is")
    CPO_KAFKA_PASSWORD: str = setting("", "of that user", secret=True)
    CPO_KAFKA_CA_FILE: str = setting(
        "", "the CAs that brokers' certificates are of (PEM); empty: those of the system"
    )
    CPO_KAFKA_CERT_FILE: str = setting(
        "", "our own certificate (PEM), where brokers ask for one (mutual TLS)"
    )
    CPO_KAFKA_KEY_FILE: str = setting("", "its key (PEM)")

    @validator("CPO_KAFKA_BROKERS")
    def _brokers(cls, value: str) -> str:
        brokers = [broker.strip() for broker in value.split(",") if broker.strip()]
        for broker in brokers:
            if "://" in broker or not broker.rpartition(":")[2].isdigit():
                raise ValueError(f"{broker!r} is not host:port")
            check_host(broker)
        return ",".join(brokers)

    @validator("CPO_KAFKA_TOPIC_PREFIX")
    def _topic_prefix(cls, value: str) -> str:
        if not _TOPIC.fullmatch(value):
            raise ValueError(f"{value!r} is not made of letters, digits, '.', '_' and '-'")
        return value

    @validator("CPO_KAFKA_TYPE_PREFIX")
    def _type_prefix(cls, value: str) -> str:
        if not _TYPE.fullmatch(value):
            raise ValueError(f"{value!r} is no reversed domain with a full stop at its end")
        return value

    @validator("CPO_KAFKA_SECURITY_PROTOCOL")
    def _protocol(cls, value: str) -> str:
        if value not in PROTOCOLS:
            raise ValueError(f"{value!r} is none of {', '.join(PROTOCOLS)}")
        return value

    @validator("CPO_KAFKA_SASL_MECHANISM")
    def _mechanism(cls, value: str) -> str:
        if value not in MECHANISMS:
            raise ValueError(f"{value!r} is none of {', '.join(MECHANISMS)}")
        return value

    @validator("CPO_KAFKA_PASSWORD", always=True)
    def _login_is_whole(cls, value: str, values: dict[str, object]) -> str:
        username = values.get("CPO_KAFKA_USERNAME")
        if bool(username) != bool(value):
            raise ValueError("CPO_KAFKA_USERNAME and CPO_KAFKA_PASSWORD are set together")
        sasl = str(values.get("CPO_KAFKA_SECURITY_PROTOCOL", "")).startswith("SASL_")
        if sasl != bool(username):
            raise ValueError("a user and a SASL_ CPO_KAFKA_SECURITY_PROTOCOL are set together")
        return value

    @validator("CPO_KAFKA_KEY_FILE", always=True)
    def _certificate_is_whole(cls, value: str, values: dict[str, object]) -> str:
        if bool(values.get("CPO_KAFKA_CERT_FILE")) != bool(value):
            raise ValueError("CPO_KAFKA_CERT_FILE and CPO_KAFKA_KEY_FILE are set together")
        return value
