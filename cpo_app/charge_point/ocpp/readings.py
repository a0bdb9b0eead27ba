"""A reading of the engine's meter as sampled values, each version's."""

from __future__ import annotations

from collections.abc import Iterator

from db_interface.json_data import JsonObject

ENERGY = "Energy.Active.Import.Register"


def _sampled(reading: JsonObject) -> Iterator[tuple[str, float, str, str | None]]:
    """(measurand, value, unit, phase)."""
    yield ENERGY, reading["register_wh"], "Wh", None
    if "power_w" in reading:
        yield "Power.Active.Import", reading["power_w"], "W", None
        for phase in range(1, reading["phases"] + 1):
            name = f"L{phase}" if reading["phases"] > 1 else None
            yield "Current.Import", reading["current_a"], "A", name
            yield "Voltage", reading["voltage_v"], "V", f"{name}-N" if name else None
    if "soc" in reading:
        yield "SoC", reading["soc"], "Percent", None


def values_16(reading: JsonObject, context: str) -> list[JsonObject]:
    """`value` is a text in 1.6."""
    values = []
    for measurand, value, unit, phase in _sampled(reading):
        one = {"value": str(value), "context": context, "measurand": measurand, "unit": unit}
        values.append({**one, "phase": phase} if phase else one)
    return values


def values_201(reading: JsonObject, context: str) -> list[JsonObject]:
    values: list[JsonObject] = []
    for measurand, value, unit, phase in _sampled(reading):
        one: JsonObject = {"value": value, "context": context, "measurand": measurand}
        one["unitOfMeasure"] = {"unit": unit}
        values.append({**one, "phase": phase} if phase else one)
    return values


def signed_16(record: str, context: str) -> JsonObject:
    """An OCMF record as 1.6 carries it."""
    head = {"value": record, "context": context, "format": "SignedData"}
    return {**head, "measurand": ENERGY, "unit": "Wh"}


def signed_201(register_wh: float, record: str, context: str, public_key: str) -> JsonObject:
    signed = {
        "signedMeterData": record,
        "signingMethod": "ECDSA-secp256r1-SHA256",
        "encodingMethod": "OCMF",
        "publicKey": public_key,
    }
    return {
        "value": register_wh,
        "context": context,
        "measurand": ENERGY,
        "unitOfMeasure": {"unit": "Wh"},
        "signedMeterValue": signed,
    }
