"""The driver's file for the S.A.F.E. Transparenzsoftware: signed records, and their key. Pure.

Its form as the software's own description has it (XML_Format.md of SAFE-eV/transparenzsoftware):
`values` of `value`, each with the record as it was signed, to the letter, and the public key.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from db_interface.json_data import JsonMapping
from domain.metering.ocmf import OcmfError, parse

_CONTEXTS = {"start": "Transaction.Begin", "end": "Transaction.End"}


class NotTransparent(ValueError):
    """The CDR holds nothing that the software could check; why, in one line."""


def transparency_file(cdr: JsonMapping) -> bytes:
    """The file of a CDR, UTF-8. Raises NotTransparent."""
    signed_data = cdr.get("signed_data")
    if signed_data is None:
        raise NotTransparent("holds no signed data: its meter does not sign")
    if signed_data["encoding_method"].upper() != "OCMF":
        raise NotTransparent(f"is signed as {signed_data['encoding_method']}, not as OCMF")
    values = Element("values")
    number: str | None = None
    for signed in signed_data["signed_values"]:
        record = signed["signed_data"].strip()
        number = number or _number(record)
        value = SubElement(values, "value", transactionId=number)
        context = _CONTEXTS.get(signed["nature"].lower())
        if context:
            value.set("context", context)
        data = SubElement(value, "signedData", format="OCMF", encoding="plain")
        data.text = record
        if signed_data.get("public_key"):
            key = SubElement(value, "publicKey", encoding=_encoding(signed_data["public_key"]))
            key.text = signed_data["public_key"]
    return bytes(tostring(values, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _number(record: str) -> str:
    """What groups the records of a session in the software: a number, of the first record."""
    try:
        digits = re.sub(r"\D", "", parse(record).pagination)
    except OcmfError as error:
        raise NotTransparent(f"holds signed data that cannot be read: {error}") from None
    return digits or "1"


def _encoding(key: str) -> str:
    return "hex" if re.fullmatch(r"[0-9A-Fa-f\s]+", key) else "base64"
