"""A meter's signed data as OCPI SignedData: passed through, never changed or checked.

Meters deliver OCMF ("OCMF|{payload}|{signature}") as one text, or a whole SignedData object.
Source: mod_cdrs, SignedData and SignedValue; OCMF is SAFE's Open Charge Metering Format.
"""

from __future__ import annotations

import json
from typing import Any

from domain.schemas import SchemaError, SignedData, validate

_OCMF = "OCMF|"


def signed_data_of(given: object) -> tuple[dict[str, Any] | None, str | None]:
    """The SignedData, or None, and why what was given cannot be passed on."""
    if given is None:
        return None, None
    if isinstance(given, str):
        if not given.startswith(_OCMF):
            return None, "neither OCMF nor an OCPI SignedData object"
        given = _of_ocmf(given)
    try:
        return validate(SignedData, given), None
    except SchemaError as error:
        return None, str(error)


def _of_ocmf(text: str) -> dict[str, Any]:
    """One signed value: the payload as plain data, and the whole text, which verifiers want."""
    payload = text[len(_OCMF) :]
    try:
        _, length = json.JSONDecoder().raw_decode(payload)
        plain = payload[:length]
    except ValueError:
        plain = payload
    value = {"nature": "End", "plain_data": plain, "signed_data": text}
    return {"encoding_method": "OCMF", "signed_values": [value]}
