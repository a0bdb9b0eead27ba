"""The settings of Kafka: what they become at the client library, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cpo_app.kafka.options import client_options, topics_of
from tests.settings_of import settings_of

LOGIN = {
    "CPO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "CPO_KAFKA_USERNAME": "cpo",
    "CPO_KAFKA_PASSWORD": "secret",
}


def test_a_login_and_certificates_are_handed_on() -> None:
    settings = settings_of(
        CPO_KAFKA_BROKERS="kafka-1:9093, kafka-2:9093",
        CPO_KAFKA_CA_FILE="/etc/ca.pem",
        CPO_KAFKA_CERT_FILE="/etc/cpo.pem",
        CPO_KAFKA_KEY_FILE="/etc/cpo.key",
        **LOGIN,
    )
    options = client_options(settings, "me")
    assert {name: value for name, value in options.items() if "backoff" not in name} == {
        "bootstrap.servers": "kafka-1:9093,kafka-2:9093",
        "client.id": "me",
        "security.protocol": "SASL_SSL",
        "socket.keepalive.enable": True,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "cpo",
        "sasl.password": "secret",
        "ssl.ca.location": "/etc/ca.pem",
        "ssl.certificate.location": "/etc/cpo.pem",
        "ssl.key.location": "/etc/cpo.key",
    }


def test_topics_bear_the_prefix() -> None:
    topics = topics_of(settings_of(CPO_KAFKA_TOPIC_PREFIX="emobility.cpo-1."))
    assert topics["charge-points"] == "emobility.cpo-1.charge-points" and len(topics) == 6


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CPO_KAFKA_BROKERS": "kafka"}, "'kafka' is not host:port"),
        ({"CPO_KAFKA_BROKERS": "http://kafka:9092"}, "is not host:port"),
        ({"CPO_KAFKA_BROKERS": "kafka:99999"}, "is not a port"),
        ({"CPO_KAFKA_TOPIC_PREFIX": "a b"}, "is not made of letters"),
        ({"CPO_KAFKA_TYPE_PREFIX": "org.ocpi"}, "with a full stop at its end"),
        ({"CPO_KAFKA_SECURITY_PROTOCOL": "TLS"}, "is none of PLAINTEXT"),
        ({"CPO_KAFKA_SASL_MECHANISM": "GSSAPI"}, "is none of PLAIN"),
        ({"CPO_KAFKA_USERNAME": "cpo"}, "are set together"),
        ({**LOGIN, "CPO_KAFKA_SECURITY_PROTOCOL": "SSL"}, "are set together"),
        ({"CPO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "are set together"),
        ({"CPO_KAFKA_CERT_FILE": "/etc/cpo.pem"}, "are set together"),
    ],
)
def test_what_cannot_be_used_is_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings_of(**given)
