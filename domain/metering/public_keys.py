"""Public keys of meters: read from whatever form they come in, kept as DER in hex. Pure."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

CURVES = frozenset(
    {"secp192r1", "secp256r1", "secp256k1", "secp384r1", "brainpoolP256r1", "brainpoolP384r1"}
)
_POINT_LENGTHS = frozenset({49, 65, 97})


class MeterKeyError(ValueError):
    """Not a public key that a meter's signature could be verified with; one line for people."""


def read_public_key(given: str) -> EllipticCurvePublicKey:
    """Of PEM, or DER (SubjectPublicKeyInfo) in hex or base64. Raises MeterKeyError."""
    text = given.strip()
    try:
        if text.startswith("-----BEGIN"):
            key = load_pem_public_key(text.encode())
        else:
            key = load_der_public_key(_der(text))
    except UnsupportedAlgorithm:
        raise MeterKeyError(
            "its curve is not supported by this installation's cryptography library"
        ) from None
    except ValueError as error:
        if isinstance(error, MeterKeyError):
            raise
        raise MeterKeyError("not a public key (PEM, or DER in hex or base64)") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise MeterKeyError("not a key of an elliptic curve")
    if key.curve.name not in CURVES:
        raise MeterKeyError(f"its curve {key.curve.name} is none of {', '.join(sorted(CURVES))}")
    return key


def key_text(key: EllipticCurvePublicKey) -> str:
    """The one form that is kept and handed on: SubjectPublicKeyInfo, DER, in hex."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex().upper()


def _der(text: str) -> bytes:
    packed = "".join(text.split())
    try:
        raw = bytes.fromhex(packed)
    except ValueError:
        try:
            raw = base64.b64decode(packed, validate=True)
        except (ValueError, binascii.Error):
            raise MeterKeyError("neither PEM nor hex nor base64") from None
    if len(raw) in _POINT_LENGTHS and raw[:1] == b"\x04":
        raise MeterKeyError("a bare point without its curve: give a SubjectPublicKeyInfo")
    return raw
