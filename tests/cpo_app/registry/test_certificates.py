"""certificate_pem: read strictly, kept for the operator, never shown, and no proof of anything."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from cpo_app.registry.certificates import CertificateRefused, checked_certificate
from tests.cpo_app.registry.conftest import Api
from tests.cpo_app.registry.pki import self_signed

NOW = datetime.now(timezone.utc)


def test_a_certificate_is_kept_and_proves_nothing(api: Api) -> None:
    certificate = self_signed("CP-001").certificate_pem
    first = api.registered("CP-001", certificate_pem=certificate)

    again = api.registered("CP-001", existing=first["credentials"])

    facts = api.get("/cp/CP-001")
    assert again["status"] == "REGISTERED"
    assert facts.json()["has_certificate"] is False
    assert "BEGIN CERTIFICATE" not in facts.text


@pytest.mark.parametrize(
    "pem",
    [
        "rubbish",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nüü\n-----END CERTIFICATE-----",
        "x" * 20_000,
    ],
)
def test_what_is_no_certificate_is_refused_by_field(api: Api, pem: str) -> None:
    answer = api.register("CP-001", certificate_pem=pem)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("certificate_pem: ")
    assert api.get("/cp").json()["total"] == 0


def test_an_expired_certificate_is_refused() -> None:
    pem = self_signed("CP-001", until=NOW - timedelta(minutes=1)).certificate_pem

    with pytest.raises(CertificateRefused, match="expired on"):
        checked_certificate(pem, NOW)


def test_a_private_key_is_refused_and_not_repeated(api: Api) -> None:
    pair = self_signed("CP-001")

    answer = api.register("CP-001", certificate_pem=pair.certificate_pem + pair.key_pem)

    assert answer.status_code == 400
    assert "private key" in answer.json()["detail"]
    assert pair.key_pem.splitlines()[1] not in answer.text
