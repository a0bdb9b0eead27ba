"""The CA by which this platform signs the certificates of its stations (OCPP 2.0.1 A02, A03).

A station asks with a certificate signing request, at a connection that has proven which station it
is. What is signed says nothing but who it is: its name, for logging in as a client. Who may have
which name the caller says. Knows no store and no wire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
CURVES = ("secp256r1", "secp384r1", "secp521r1")
HASHES = ("sha256", "sha384", "sha512")
MAX_CHAIN = 10_000
"""Characters, as CertificateSigned has it."""
_EARLIER = timedelta(hours=1)
"""A station whose clock is a little behind takes it all the same."""

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class AuthorityUnusable(Exception):
    """Its files are no CA; the message says why."""


class RequestRefused(Exception):
    """The request is not signed; the message says why, in a line."""


@dataclass(frozen=True)
class SignedCertificate:
    chain_pem: str
    """The station's own first, then what leads to the root."""
    serial: str
    common_name: str
    fingerprint: str
    """SHA-256 of the DER form"""
    ends: datetime


class StationAuthority:
    def __init__(self, chain: list[x509.Certificate], key: _Key, days: int) -> None:
        """`chain`: its certificate, then those above it. Raises AuthorityUnusable."""
        self._chain = chain
        self._key = key
        self._days = days
        certificate = chain[0]
        if _spki(certificate.public_key()) != _spki(key.public_key()):
            raise AuthorityUnusable("the key is not the certificate's")
        if not _may_sign(certificate):
            raise AuthorityUnusable("the certificate is none of a CA that may sign certificates")

    @classmethod
    def of_files(cls, certificate_file: str, key_file: str, days: int) -> StationAuthority:
        """Raises AuthorityUnusable."""
        try:
            chain = x509.load_pem_x509_certificates(Path(certificate_file).read_bytes())
            key = serialization.load_pem_private_key(Path(key_file).read_bytes(), None)
        except OSError as error:
            raise AuthorityUnusable(f"{error.filename}: {error.strerror}") from None
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise AuthorityUnusable(f"no PEM certificate and plain key: {error}") from None
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise AuthorityUnusable("the key is neither RSA nor of an elliptic curve")
        return cls(chain, key, days)

    @property
    def ends(self) -> datetime:
        return self._chain[0].not_valid_after_utc

    def sign(self, request_pem: str, names: Collection[str], now: datetime) -> SignedCertificate:
        """What is signed is the name and the key; `names`: those that the station may have, one of
        which it has to ask for (ignoring case). Raises RequestRefused."""
        request, key = _read(request_pem)
        name = _name_of(request)
        if name.casefold() not in {one.casefold() for one in names if one}:
            raise RequestRefused("its common name is neither the station's id nor its own serial")
        ends = min(now + timedelta(days=self._days), self.ends)
        if ends <= now:
            raise RequestRefused("the CA's own certificate has ended")
        certificate = self._signed(request, key, now, ends)
        chain = [certificate, *(one for one in self._chain if one.issuer != one.subject)]
        text = "".join(_pem(one) for one in chain)
        if len(text) > MAX_CHAIN:
            text = _pem(certificate)
        return SignedCertificate(
            chain_pem=text,
            serial=f"{certificate.serial_number:x}",
            common_name=name,
            fingerprint=hashlib.sha256(
                certificate.public_bytes(serialization.Encoding.DER)
            ).hexdigest(),
            ends=ends,
        )

    def _signed(
        self,
        request: x509.CertificateSigningRequest,
        key: _PublicKey,
        now: datetime,
        ends: datetime,
    ) -> x509.Certificate:
        issuer = self._chain[0]
        kept = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=isinstance(key, rsa.RSAPublicKey),
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([one for one in request.subject if one.oid in kept]))
            .issuer_name(issuer.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(now - _EARLIER, issuer.not_valid_before_utc))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )


def new_authority(name: str, now: datetime, days: int) -> tuple[str, str]:
    """(certificate, key) of a new CA, as PEM."""
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA384())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _pem(certificate), private.decode()


def _read(request_pem: str) -> tuple[x509.CertificateSigningRequest, _PublicKey]:
    """The request, and its key, once they are good enough."""
    try:
        request = x509.load_pem_x509_csr(request_pem.strip().encode())
        key = request.public_key()
        proven = request.is_signature_valid
        hashed_by = request.signature_hash_algorithm
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        raise RequestRefused("it is no certificate signing request in PEM form") from None
    if not proven:
        raise RequestRefused("its signature is not that of its key")
    if hashed_by is None or hashed_by.name not in HASHES:
        raise RequestRefused(f"its signature is not made with one of {', '.join(HASHES)}")
    if isinstance(key, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise RequestRefused(f"its RSA key has {key.key_size} bits, not {MIN_RSA_BITS} or more")
        return request, key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            raise RequestRefused(f"its key is on the curve {key.curve.name}")
        return request, key
    raise RequestRefused("its key is neither RSA nor of an elliptic curve")


def _name_of(request: x509.CertificateSigningRequest) -> str:
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise RequestRefused("its subject has not one common name")
    return names[0].value


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return constraints.ca
    return constraints.ca and usage.key_cert_sign


def _spki(key: object) -> bytes:
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)  # noqa: S101
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
