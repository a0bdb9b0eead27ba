"""The energy that a meter has signed for, and whether a bill says the same. Pure."""

from __future__ import annotations

from decimal import Decimal

from db_interface.json_data import JsonMapping
from domain.metering.ocmf import OcmfError, Reading, parse

TOLERANCE_WH = Decimal("0.1")
"""OCPI writes four decimals of a kWh."""


class NoSignedEnergy(ValueError):
    """The signed values do not tell the energy of a charging session; why, in one line."""


def signed_energy_wh(signed_data: JsonMapping) -> Decimal:
    """From the reading at the begin to that at the end of the session, over all records of an
    OCPI SignedData. Raises NoSignedEnergy."""
    if signed_data["encoding_method"].upper() != "OCMF":
        raise NoSignedEnergy(f"signed as {signed_data['encoding_method']}")
    readings: list[Reading] = []
    meters: set[str | None] = set()
    for value in signed_data["signed_values"]:
        try:
            record = parse(value["signed_data"])
        except OcmfError as error:
            raise NoSignedEnergy(f"{value['nature']}: {error}") from None
        meters.add(record.meter_serial or record.gateway_serial)
        readings += record.readings
    if len(meters) > 1:
        raise NoSignedEnergy("the values are of several meters")
    begins = {r.energy_wh for r in readings if r.begins and r.energy_wh is not None}
    ends = {r.energy_wh for r in readings if r.ends and r.energy_wh is not None}
    if len(begins) != 1 or len(ends) != 1:
        raise NoSignedEnergy("there is not one signed begin and one signed end")
    return ends.pop() - begins.pop()


def energy_problem(signed_data: JsonMapping, billed_wh: Decimal) -> str | None:
    """Why the billed energy is not what the meter signed for; None where it is."""
    try:
        return _difference(signed_energy_wh(signed_data), billed_wh)
    except NoSignedEnergy as error:
        return f"the signed energy cannot be told: {error}"


def signed_otherwise(signed_data: JsonMapping, billed_wh: Decimal) -> str | None:
    """That the meter signed for another energy than is billed; None where it did not, or where
    what it signed for cannot be told."""
    try:
        return _difference(signed_energy_wh(signed_data), billed_wh)
    except NoSignedEnergy:
        return None


def _difference(signed_wh: Decimal, billed_wh: Decimal) -> str | None:
    if abs(signed_wh - billed_wh) <= TOLERANCE_WH:
        return None
    return f"the meter signed for {signed_wh.normalize():f} Wh, billed are {billed_wh:f} Wh"
