"""The CA of stations' certificates: what it signs, and what not."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from auth.station_authority import (
    AuthorityUnusable,
    RequestRefused,
    StationAuthority,
    new_authority,
)
from tests.cpo_app.registry.pki import self_signed

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
NAMES = ["CP-007", "SN-1"]
P256 = ec.generate_private_key(ec.SECP256R1())


def made(folder: Path, certificate: str, key: str, days: int = 365) -> StationAuthority:
    (folder / "ca.pem").write_text(certificate)
    (folder / "ca.key").write_text(key)
    return StationAuthority.of_files(str(folder / "ca.pem"), str(folder / "ca.key"), days)


@pytest.fixture
def authority(tmp_path: Path) -> StationAuthority:
    return made(tmp_path, *new_authority("Stations", NOW, 400))


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def request(
    *names: str,
    key: Key = P256,
    hashed: hashes.SHA256 | None = hashes.SHA256(),
) -> str:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
    subject.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, "who@example.com"))
    subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CPO"))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    return builder.sign(key, hashed).public_bytes(serialization.Encoding.PEM).decode()


def test_what_it_signs_is_a_name_for_a_client(authority: StationAuthority) -> None:
    signed = authority.sign(request("cp-007"), NAMES, NOW)
    certificate = x509.load_pem_x509_certificate(signed.chain_pem.encode())
    assert certificate.subject.rfc4514_string() == "O=CPO,CN=cp-007"
    assert certificate.not_valid_after_utc == signed.ends == NOW + timedelta(days=365)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints.ca is False
    assert certificate.serial_number == int(signed.serial, 16)


def test_no_certificate_outlives_its_ca(authority: StationAuthority) -> None:
    late = NOW + timedelta(days=390)
    assert authority.sign(request("SN-1"), NAMES, late).ends == authority.ends
    with pytest.raises(RequestRefused, match="has ended"):
        authority.sign(request("SN-1"), NAMES, NOW + timedelta(days=401))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request("CP-008"), "neither the station's id nor its own serial"),
        (request(), "not one common name"),
        (request("CP-007", "CP-008"), "not one common name"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "PEM"),
        ("nothing", "PEM"),
        (request("CP-007", key=rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (request("CP-007", key=ec.generate_private_key(ec.SECP256K1())), "secp256k1"),
        (request("CP-007", key=ed25519.Ed25519PrivateKey.generate(), hashed=None), "made with"),
    ],
)
def test_what_it_does_not_sign(authority: StationAuthority, asked: str, why: str) -> None:
    with pytest.raises(RequestRefused, match=why):
        authority.sign(asked, NAMES, NOW)


def test_who_does_not_hold_the_key_gets_nothing(authority: StationAuthority) -> None:
    good = x509.load_pem_x509_csr(request("CP-007").encode())
    der = bytearray(good.public_bytes(serialization.Encoding.DER))
    at = bytes(der).index(b"CP-007")
    der[at : at + 6] = b"SN-1  "[:6]
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(RequestRefused, match="not that of its key"):
        authority.sign(forged, NAMES, NOW)


def test_files_that_are_no_ca(tmp_path: Path) -> None:
    certificate, key = new_authority("Stations", NOW, 400)
    other = new_authority("Stations", NOW, 400)[1]
    with pytest.raises(AuthorityUnusable, match="not the certificate's"):
        made(tmp_path, certificate, other)
    with pytest.raises(AuthorityUnusable, match="no PEM"):
        made(tmp_path, certificate, "no key")
    authority = made(tmp_path, certificate, key)
    leaf = authority.sign(request("CP-007"), NAMES, NOW).chain_pem
    private = P256.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    with pytest.raises(AuthorityUnusable, match="none of a CA"):
        made(tmp_path, leaf, private)
    with pytest.raises(AuthorityUnusable, match="No such file"):
        StationAuthority.of_files(str(tmp_path / "none"), str(tmp_path / "ca.key"), 1)


def test_one_without_key_usage_may_sign(tmp_path: Path) -> None:
    pair = self_signed("Stations", NOW + timedelta(days=2))
    authority = made(tmp_path, pair.certificate_pem, pair.key_pem)
    assert authority.sign(request("CP-007"), NAMES, NOW).ends == NOW + timedelta(days=2)
