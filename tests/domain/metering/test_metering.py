"""Signed meter data: read, verified, held against the bill, handed to the driver."""

from __future__ import annotations

import base64
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.metering import public_keys
from domain.metering.ocmf import OcmfError, parse
from domain.metering.public_keys import MeterKeyError, key_text, read_public_key
from domain.metering.signatures import Checked, Verdict, check
from domain.metering.signed_energy import NoSignedEnergy, energy_problem, signed_energy_wh
from domain.metering.transparency import NotTransparent, transparency_file
from tests.domain.metering.vectors import (
    CURVES,
    PAYLOAD,
    data,
    private_key,
    public_text,
    reading,
    signed,
)


def test_a_record_is_read_and_what_a_reading_leaves_out_is_that_of_the_one_before() -> None:
    record = parse(signed())
    assert (record.version, record.pagination, record.meter_serial) == ("1.0", "T7", "M-1")
    assert record.payload == PAYLOAD
    assert [(r.begins, r.ends, r.energy_wh) for r in record.readings] == [
        (True, False, Decimal("100100")),
        (False, True, Decimal("111350")),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OCMF|{}",
        "EDL|{}|{}",
        "OCMF|[]|{}",
        'OCMF|{"RD":[]}|{"SD":"00"}',
        'OCMF|{"RD":[1]}|{"SD":"00"}',
        'OCMF|{"RD":[{"RV":"12"}]}|{"SD":"00"}',
        'OCMF|{"RD":[{"RV":NaN}]}|{"SD":"00"}',
        'OCMF|{"RD":[{"TX":1}]}|{"SD":"00"}',
        'OCMF|{"RD":[{"RV":1}]}|{}',
        'OCMF|{"RD":[{"RV":1}]}|{"SD":"xy"}',
        'OCMF|{"RD":[{"RV":1}]}|{"SD":"AA","SE":"base58"}',
        'OCMF|{"RD":[{"RV":1}]}|{"SD":"?","SE":"base64"}',
        "OCMF|" + "[" * 99_000 + "|{}",
    ],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(OcmfError):
        parse(text)


@pytest.mark.parametrize("curve", CURVES)
def test_each_curve_is_verified_and_a_changed_digit_is_found(curve: str) -> None:
    record = signed(curve=curve)
    assert check(data(record), public_text(curve)) == Checked(Verdict.VERIFIED)
    forged = check(data(record.replace("111.35", "111.36")), public_text(curve))
    assert forged.verdict is Verdict.WRONG
    other = check(data(record), public_text(curve, 54321))
    assert other.verdict is Verdict.WRONG


def test_the_worst_value_counts_and_its_reason_is_told() -> None:
    good, bad = signed(), signed(number=7)
    checked = check(data(good, bad), public_text())
    assert checked.verdict is Verdict.WRONG
    assert checked.reason == "End: the signature is not of the kept key over this data"
    assert check(data(good, "OCMF|x|y"), public_text()).verdict is Verdict.WRONG


def test_what_cannot_be_checked_is_said_to_be_unchecked() -> None:
    assert check(data(signed()), None).verdict is Verdict.NO_KEY
    other = signed(curve="secp384r1")
    assert check(data(other), public_text()) == Checked(
        Verdict.WRONG, "End: signed on secp384r1, the kept key is of secp256r1"
    )
    odd = signed().replace("ECDSA-secp256r1-SHA256", "ECDSA-secp256r1-SHA512")
    assert check(data(odd), public_text()).verdict is Verdict.UNCHECKED
    alfen = {**data(signed()), "encoding_method": "Alfen Eichrecht"}
    assert check(alfen, public_text()) == Checked(Verdict.UNCHECKED, "signed as Alfen Eichrecht")


def test_without_an_algorithm_p256_is_meant_and_base64_is_read() -> None:
    signature = private_key().sign(PAYLOAD.encode(), ec.ECDSA(SHA256()))
    text = base64.b64encode(signature).decode()
    record = f'OCMF|{PAYLOAD}|{{"SE":"base64","SD":"{text}"}}'
    assert check(data(record), public_text()).verdict is Verdict.VERIFIED


def test_a_key_is_read_from_every_form_and_kept_in_one() -> None:
    key = private_key().public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    spaced = " ".join(f"{byte:02x}" for byte in der)
    forms = [pem, der.hex(), spaced, base64.b64encode(der).decode()]
    assert {key_text(read_public_key(form)) for form in forms} == {public_text()}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "not a public key"),
        ("ä", "neither PEM nor hex nor base64"),
        ("-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----", "not a public key"),
        ("04" + "11" * 64, "a bare point without its curve"),
        (key_text(ec.derive_private_key(5, ec.SECP521R1()).public_key()), "secp521r1 is none of"),
        (
            ed25519.Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode(),
            "not a key of an elliptic curve",
        ),
    ],
)
def test_what_is_no_key_is_refused_in_one_line(given: str, why: str) -> None:
    with pytest.raises(MeterKeyError, match=why):
        read_public_key(given)


def test_a_curve_that_this_installation_lacks_is_said_so_and_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lacking(*_: object) -> None:
        raise UnsupportedAlgorithm("Curve 1.2.840.10045.3.1.1 is not supported")

    monkeypatch.setattr(public_keys, "load_der_public_key", lacking)
    checked = check(data(signed()), public_text())
    assert checked.verdict is Verdict.UNCHECKED
    assert checked.reason == (
        "the key that is kept: its curve is not supported by this installation's cryptography"
        " library"
    )


def test_the_signed_energy_is_from_begin_to_end_in_one_record_or_two() -> None:
    assert signed_energy_wh(data(signed())) == Decimal("11250")
    two = data(signed(reading("B", "1000.125")), signed(reading("R", "5.000125", "kWh")))
    assert signed_energy_wh(two) == Decimal("4000")


@pytest.mark.parametrize(
    "records",
    [
        (signed(reading("B", "1")),),
        (signed(reading("B", "1")), signed(reading("E", "2", serial="M-2"))),
        (signed(reading("B", "1")), signed(reading("E", "2", EF="E"))),
        (signed(reading("B", "1")), signed(reading("E", "2", "mOhm"))),
        (signed(reading("B", "1")), "OCMF|"),
    ],
)
def test_without_a_begin_and_an_end_of_one_meter_no_energy_is_signed(
    records: tuple[str, ...],
) -> None:
    with pytest.raises(NoSignedEnergy):
        signed_energy_wh(data(*records))


def test_a_bill_that_says_otherwise_is_found() -> None:
    assert energy_problem(data(signed()), Decimal("11250.05")) is None
    assert energy_problem(data(signed()), Decimal("11350")) == (
        "the meter signed for 11250 Wh, billed are 11350 Wh"
    )
    only_end = data(signed(reading("E", "2")))
    problem = energy_problem(only_end, Decimal(2))
    assert problem is not None and problem.startswith("the signed energy cannot be told")


def test_the_drivers_file_holds_each_record_to_the_letter() -> None:
    awkward = signed(reading("B", "1", ID="<&> ü"))
    end = signed(reading("E", "2"))
    cdr = {"signed_data": {**data(awkward, end), "public_key": public_text()}}
    values = list(ElementTree.fromstring(transparency_file(cdr)))
    assert [value.attrib for value in values] == [
        {"transactionId": "1", "context": "Transaction.Begin"},
        {"transactionId": "1", "context": "Transaction.End"},
    ]
    records = [value.find("signedData") for value in values]
    assert [r is not None and (r.text, r.attrib) for r in records] == [
        (awkward, {"format": "OCMF", "encoding": "plain"}),
        (end, {"format": "OCMF", "encoding": "plain"}),
    ]
    keys = [value.find("publicKey") for value in values]
    assert [k is not None and (k.text, k.attrib) for k in keys] == [
        (public_text(), {"encoding": "hex"})
    ] * 2


def test_a_cdr_without_ocmf_has_no_file() -> None:
    with pytest.raises(NotTransparent):
        transparency_file({})
    with pytest.raises(NotTransparent):
        transparency_file({"signed_data": {**data(signed()), "encoding_method": "EDL"}})
