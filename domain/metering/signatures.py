"""Whether a meter signed what is said to come from it. Pure.

The verdict is about the key that the operator has put down for the meter: a key that travels with
the data proves nothing, for whoever forges the one forges the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from db_interface.json_data import JsonMapping
from domain.metering.ocmf import Ocmf, OcmfError, parse
from domain.metering.public_keys import MeterKeyError, read_public_key

_ALGORITHM = re.compile(r"ECDSA-(?P<curve>\w+)-SHA256\Z")
# OCMF's table names the brainpool curves without the P; records in the field write it.
_SPELLINGS = {"brainpool256r1": "brainpoolP256r1", "brainpool384r1": "brainpoolP384r1"}


class Verdict(str, Enum):
    VERIFIED = "verified"
    NO_KEY = "no key"
    WRONG = "wrong"
    UNCHECKED = "unchecked"
    """It cannot be checked here: another format than OCMF, or a curve that is not supported."""


@dataclass(frozen=True)
class Checked:
    """`reason` is None for VERIFIED alone."""

    verdict: Verdict
    reason: str | None = None


def check(signed_data: JsonMapping, public_key: str | None) -> Checked:
    """Check every value of an OCPI SignedData; the worst of them counts."""
    if signed_data["encoding_method"].upper() != "OCMF":
        return Checked(Verdict.UNCHECKED, f"signed as {signed_data['encoding_method']}")
    if public_key is None:
        return Checked(Verdict.NO_KEY, "no public key is kept for this meter")
    try:
        key = read_public_key(public_key)
    except MeterKeyError as error:
        return Checked(Verdict.UNCHECKED, f"the key that is kept: {error}")
    for value in signed_data["signed_values"]:
        try:
            checked = check_record(parse(value["signed_data"]), key)
        except OcmfError as error:
            checked = Checked(Verdict.WRONG, str(error))
        if checked.verdict is not Verdict.VERIFIED:
            return Checked(checked.verdict, f"{value['nature']}: {checked.reason}")
    return Checked(Verdict.VERIFIED)


def check_record(record: Ocmf, key: EllipticCurvePublicKey) -> Checked:
    """Check one record against the key of its meter."""
    named = _ALGORITHM.match(record.algorithm)
    if named is None:
        return Checked(Verdict.UNCHECKED, f"signed with {record.algorithm[:40]}")
    curve = _SPELLINGS.get(named["curve"], named["curve"])
    if curve != key.curve.name:
        return Checked(Verdict.WRONG, f"signed on {curve}, the kept key is of {key.curve.name}")
    try:
        key.verify(record.signature, record.payload.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        return Checked(Verdict.WRONG, "the signature is not of the kept key over this data")
    except UnsupportedAlgorithm:
        return Checked(Verdict.UNCHECKED, f"this installation cannot verify {curve}")
    return Checked(Verdict.VERIFIED)
