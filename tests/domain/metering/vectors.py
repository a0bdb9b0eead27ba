"""OCMF records made here by hand, byte by byte, with keys of fixed private numbers."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from domain.metering.public_keys import key_text

CURVES: dict[str, ec.EllipticCurve] = {
    "secp192r1": ec.SECP192R1(),
    "secp256r1": ec.SECP256R1(),
    "secp256k1": ec.SECP256K1(),
    "secp384r1": ec.SECP384R1(),
    "brainpool256r1": ec.BrainpoolP256R1(),
    "brainpoolP384r1": ec.BrainpoolP384R1(),
}
PAYLOAD = (
    '{"FV":"1.0","GI":"G","GS":"1","PG":"T7","MS":"M-1","IS":false,"IT":"NONE","RD":['
    '{"TM":"2025-05-01T12:00:00,000+0000 S","TX":"B","RV":100.10,"RI":"1-b:1.8.0","RU":"kWh",'
    '"EF":"","ST":"G"},'
    '{"TM":"2025-05-01T13:00:00,000+0000 R","TX":"E","RV":111.35}]}'
)


def private_key(curve: str = "secp256r1", number: int = 12345) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, CURVES[curve])


def public_text(curve: str = "secp256r1", number: int = 12345) -> str:
    return key_text(private_key(curve, number).public_key())


def signed(payload: str = PAYLOAD, curve: str = "secp256r1", number: int = 12345) -> str:
    signature = private_key(curve, number).sign(payload.encode(), ec.ECDSA(SHA256()))
    algorithm = f"ECDSA-{curve}-SHA256"
    return f'OCMF|{payload}|{{"SA":"{algorithm}","SD":"{signature.hex().upper()}"}}'


def reading(kind: str, value: str, unit: str = "Wh", serial: str = "M-1", **more: str) -> str:
    """The payload of a record with one reading."""
    extra = "".join(f',"{name}":"{text}"' for name, text in more.items())
    return (
        f'{{"PG":"T1","MS":"{serial}","RD":[{{"TM":"x","TX":"{kind}","RV":{value},'
        f'"RI":"1-b:1.8.0","RU":"{unit}","ST":"G"{extra}}}]}}'
    )


def data(*records: str) -> dict[str, Any]:
    """An OCPI SignedData."""
    natures = ["Start", "End"] if len(records) == 2 else ["End"]
    return {
        "encoding_method": "OCMF",
        "signed_values": [
            {"nature": nature, "plain_data": "-", "signed_data": record}
            for nature, record in zip(natures, records, strict=True)
        ],
    }
