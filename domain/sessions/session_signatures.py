"""A meter's signed data as OCPI SignedData: checked on arrival, its values never changed.

What came of the check stands on the session, also where the data could not be kept.

Meters deliver OCMF ("OCMF|{payload}|{signature}") as one text, or a whole SignedData object.
Source: mod_cdrs, SignedData and SignedValue; OCMF is SAFE's Open Charge Metering Format.
"""

from __future__ import annotations

import contextlib
import json
import logging
from decimal import Decimal
from typing import Any

from db_interface.transaction import Tx
from domain.metering.meter_keys import key_for
from domain.metering.ocmf import parse
from domain.metering.signatures import check
from domain.metering.signed_energy import energy_problem
from domain.schemas import SchemaError, SignedData, validate
from domain.sessions.session_document import SignatureCheck
from domain.sessions.session_records import set_beside

logger = logging.getLogger("cpo.sessions")

DROPPED = "dropped"
"""Beside the verdicts of domain.metering: what was given is no signed data, and was left out."""
_OCMF = "OCMF|"


async def take_signed_data(
    tx: Tx,
    session_id: str,
    *,
    cp_id: str,
    connector_id: str,
    given: object,
    energy_wh: float,
    url: str | None,
) -> dict[str, Any] | None:
    """The SignedData for the CDR out of what a charge point gave at the end of a session; the
    check is put down on the session. The public key is the one that the operator put down."""
    if given is None:
        return None
    signed_data, refused = signed_data_of(given)
    if signed_data is None:
        result: SignatureCheck = {"verdict": DROPPED, "reason": refused, "problem": None}
    else:
        key = await key_for(tx, cp_id, connector_id)
        checked = check(signed_data, key)
        result = {
            "verdict": checked.verdict.value,
            "reason": checked.reason,
            "problem": energy_problem(signed_data, Decimal(str(energy_wh))),
        }
        if key is not None:
            signed_data = {**signed_data, "public_key": key}
        if url and not signed_data.get("url"):
            signed_data = {**signed_data, "url": url}
    if result["reason"] or result["problem"]:
        tx.say(
            logger.warning,
            "session %s: signature %s: %s",
            session_id,
            result["verdict"],
            "; ".join(why for why in (result["reason"], result["problem"]) if why),
        )
    await set_beside(tx, session_id, {"signature": result})
    return signed_data


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
    made: dict[str, Any] = {"encoding_method": "OCMF", "signed_values": [value]}
    with contextlib.suppress(ValueError):  # OCPI's version is a whole number: OCMF's major one
        made["encoding_method_version"] = int((parse(text).version or "").split(".")[0])
    return made
