"""OCMF, S.A.F.E.'s Open Charge Metering Format: a signed record of a meter, read. Pure.

    OCMF|{payload}|{signature}

What is signed are the payload's bytes as they stand, so they are kept as they stand. Nothing is
verified here (signatures). Source: OCMF 1.2, sections "Readings" and "Signature Section".
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from decimal import Decimal

from db_interface.json_data import JsonMapping, JsonObject

DEFAULT_ALGORITHM = "ECDSA-secp256r1-SHA256"
MAX_CHARS = 100_000
_HEADER = "OCMF"
_BEGINS, _ENDS = frozenset("B"), frozenset("ELRAP")
_INHERITED = ("TX", "RI", "RU", "RT", "ST", "EF")
_FACTORS = {"kWh": Decimal(1000), "Wh": Decimal(1)}
# OBIS: imported energy, totals of the register or of the transaction, on whatever channel.
_IMPORTS = ("1.8.", "98.8.")


class OcmfError(ValueError):
    """The text is no OCMF record that could be used; one line for the operator."""


@dataclass(frozen=True)
class Reading:
    """One meter reading; `value` is None where it tells an event only."""

    time: str
    transaction: str | None
    value: Decimal | None
    unit: str | None
    obis: str | None
    error_flags: str
    status: str | None

    @property
    def begins(self) -> bool:
        return self.transaction in _BEGINS

    @property
    def ends(self) -> bool:
        return self.transaction in _ENDS

    @property
    def energy_wh(self) -> Decimal | None:
        """Imported energy; None where the reading is of something else, or not to be used."""
        factor = _FACTORS.get(self.unit or "")
        if self.value is None or factor is None or "E" in self.error_flags:
            return None
        if self.obis is not None and not any(part in self.obis for part in _IMPORTS):
            return None
        return self.value * factor


@dataclass(frozen=True)
class Ocmf:
    """`payload`: the signed text; `signature`: DER."""

    text: str
    payload: str
    version: str | None
    pagination: str
    meter_serial: str | None
    gateway_serial: str | None
    readings: tuple[Reading, ...]
    algorithm: str
    signature: bytes


def parse(text: str) -> Ocmf:
    """Raises OcmfError."""
    if len(text) > MAX_CHARS:
        raise OcmfError(f"longer than {MAX_CHARS} characters")
    parts = text.split("|")
    if len(parts) != 3 or parts[0].strip() != _HEADER:
        raise OcmfError("not of the form OCMF|{payload}|{signature}")
    payload, signature = _json_object(parts[1], "payload"), _json_object(parts[2], "signature")
    return Ocmf(
        text=text,
        payload=parts[1],
        version=_text(payload, "FV"),
        pagination=_text(payload, "PG") or "",
        meter_serial=_text(payload, "MS"),
        gateway_serial=_text(payload, "GS"),
        readings=_readings(payload.get("RD")),
        algorithm=_text(signature, "SA") or DEFAULT_ALGORITHM,
        signature=_signature(signature),
    )


def _json_object(text: str, what: str) -> JsonMapping:
    try:
        found = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        raise OcmfError(f"its {what} is no JSON") from None
    if not isinstance(found, dict):
        raise OcmfError(f"its {what} is no JSON object")
    return found


def _text(fields: JsonMapping, name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise OcmfError(f"{name} is no text")
    return value


def _readings(rows: object) -> tuple[Reading, ...]:
    """A field that a reading leaves out has the value of the reading before (Table 7)."""
    if not isinstance(rows, list) or not rows:
        raise OcmfError("RD holds no readings")
    found: list[Reading] = []
    fields: JsonObject = {}
    for row in rows:
        if not isinstance(row, dict):
            raise OcmfError("RD holds something that is no reading")
        fields = {**{name: fields[name] for name in _INHERITED if name in fields}, **row}
        value = fields.get("RV")
        if value is not None and not (isinstance(value, Decimal) and value.is_finite()):
            raise OcmfError("RV is no number")
        found.append(
            Reading(
                time=_text(fields, "TM") or "",
                transaction=_text(fields, "TX"),
                value=value,
                unit=_text(fields, "RU"),
                obis=_text(fields, "RI"),
                error_flags=_text(fields, "EF") or "",
                status=_text(fields, "ST"),
            )
        )
    return tuple(found)


def _signature(fields: JsonMapping) -> bytes:
    encoding, data = _text(fields, "SE") or "hex", _text(fields, "SD")
    if not data:
        raise OcmfError("SD holds no signature")
    try:
        if encoding == "hex":
            return bytes.fromhex(data)
        if encoding == "base64":
            return base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        raise OcmfError(f"SD is no {encoding}") from None
    raise OcmfError(f"SE is neither hex nor base64: {encoding[:20]}")
