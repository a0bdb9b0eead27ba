"""Signed meter values as charge points send them, and the OCPI SignedData made of them. Pure.

1.6: a sampled value of format `SignedData`, its value the signed text, or that in hex or base64.
2.0.1 and 2.1: `signedMeterValue`, its data in base64. Nothing is verified here, and no signed byte
changed: session_signatures checks what comes of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TypedDict

from db_interface.json_data import JsonMapping, JsonObject
from domain.metering.ocmf import MAX_CHARS

OCMF = "OCMF"
START, END, INTERMEDIATE = "Start", "End", "Intermediate"
MAX_KEPT = 4
"""Of a transaction: its first two and its latest ones (a bill needs the first and the last)."""
MAX_KEY = 512  # OCPI's
_NATURES = {"Transaction.Begin": START, "Transaction.End": END}


class SignedValue(TypedDict):
    """`text`: as it was signed."""

    nature: str
    encoding: str
    text: str
    public_key: str | None


def signed_of(sampled: JsonMapping) -> SignedValue | None:
    """The signed part of a sampled value, where it has one."""
    nature = _NATURES.get(sampled.get("context") or "", INTERMEDIATE)
    given = sampled.get("signedMeterValue")
    if isinstance(given, dict):
        text = _plain(given.get("signedMeterData"))
        if text is None:
            return None
        encoding = OCMF if text.startswith("OCMF|") else str(given.get("encodingMethod") or "")
        key = given.get("publicKey")
        return _value(nature, encoding, text, key if isinstance(key, str) and key else None)
    if sampled.get("format") == "SignedData":
        text = _plain(sampled.get("value"))
        if text is None:
            return None
        return _value(nature, OCMF if text.startswith("OCMF|") else "", text, None)
    return None


def kept(before: Sequence[SignedValue], new: Sequence[SignedValue]) -> list[SignedValue]:
    """What of a transaction's signed values is kept: each once, the first and the latest."""
    found = list(before)
    for one in new:
        if not any(known["text"] == one["text"] for known in found):
            found.append(one)
    if len(found) <= MAX_KEPT:
        return found
    return [found[0], *found[1 - MAX_KEPT :]]


def signed_data(values: Sequence[SignedValue]) -> JsonObject | str | None:
    """As a session takes it: OCMF text where one record tells all, else SignedData with the start
    and the end. None where there is none."""
    if not values:
        return None
    last = next((one for one in reversed(values) if one["nature"] == END), values[-1])
    first = next((one for one in values if one["nature"] == START), values[0])
    if last["encoding"] == OCMF and (first["text"] == last["text"] or _is_whole(last["text"])):
        return last["text"]
    shown = [first] if first["text"] == last["text"] else [first, last]
    natures = [END] if len(shown) == 1 else [START, END]
    made: JsonObject = {
        "encoding_method": last["encoding"] or "unknown",
        "signed_values": [
            {"nature": nature, "plain_data": _payload(one["text"]), "signed_data": one["text"]}
            for nature, one in zip(natures, shown, strict=True)
        ],
    }
    if last["public_key"] and len(last["public_key"]) <= MAX_KEY:
        made["public_key"] = last["public_key"]
    return made


def _value(nature: str, encoding: str, text: str, key: str | None) -> SignedValue:
    return {"nature": nature, "encoding": encoding, "text": text, "public_key": key}


def _plain(given: object) -> str | None:
    """The signed text out of what was sent; as sent where it is not OCMF."""
    if not isinstance(given, str) or not given or len(given) > MAX_CHARS:
        return None
    if given.startswith("OCMF|"):
        return given
    for decoded in (_from_hex(given), _from_base64(given)):
        if decoded is not None and decoded.startswith("OCMF|"):
            return decoded
    return given


def _from_hex(text: str) -> str | None:
    try:
        return bytes.fromhex(text).decode()
    except ValueError:
        return None


def _from_base64(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _payload(text: str) -> str:
    """What was signed, of OCMF its payload."""
    if not text.startswith("OCMF|"):
        return text
    rest = text[len("OCMF|") :]
    try:
        _, length = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        return rest
    return rest[:length]


def _is_whole(text: str) -> bool:
    """Whether one OCMF record tells of the begin and of the end."""
    try:
        rows = json.loads(_payload(text)).get("RD") or ()
        told = {row.get("TX") for row in rows if isinstance(row, dict)}
    except (ValueError, AttributeError, TypeError):
        return False
    return "B" in told and len(told) > 1
