"""The connectors of a charge point: as its metadata lists them, completed, or derived from its
power rating and kind of current.

What is not said is what such a charge point has in the field: Type 2 sockets up to 22 kW, attached
cables above, CCS for direct current. Source: OCPI 2.2.1, mod_locations, Connector Object.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.sites.fields import BadValue, read_connector_field
from domain.sites.power_types import DC, PHASES

_MAINS_V = 230  # line to neutral
_DEFAULT_AC_KW = 22.0
_DEFAULT_DC_KW = 50.0
_ONE_PHASE_UP_TO_KW = 7.4  # 32 A
_SOCKET_UP_TO_KW = 22.5  # above, the cable is attached (IEC 61851-1, mode 3 case C)
_AC_UP_TO_KW = 44.0  # 3 x 63 A; where only the power is known, more must be direct current
_LOW_VOLTAGE_DC_UP_TO_KW = 62.5  # up to here 500 V chargers, above 920 V ones
_CAR_BATTERY_V = 400  # what a DC charger's current is laid out for
_CABLE_A = 500  # the most that CCS cables carry
_STRONGEST_KW = 4000.0

_BREAKERS_A = (10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125)
_BREAKER_TOLERANCE = 0.04  # "22 kW" is 31.9 A, "43 kW" 62.3 A, "7.2 kW" 31.3 A

_POWER = re.compile(r"\s*(\d{1,9}(?:[.,]\d{1,6})?)\s*(kw|kva|w|mw)?\s*", re.IGNORECASE | re.ASCII)
_UNIT_KW = {"kw": 1.0, "kva": 1.0, "w": 0.001, "mw": 1000.0}
_KIND = re.compile(r"(?:^|[^A-Z])(AC|DC)(?:$|[^A-Z])")

_DC_STANDARDS = frozenset(
    "CHADEMO CHAOJI GBT_DC IEC_62196_T1_COMBO IEC_62196_T2_COMBO MCS PANTOGRAPH_BOTTOM_UP "
    "PANTOGRAPH_TOP_DOWN".split(" ")
)
_CABLE_STANDARDS = _DC_STANDARDS | {"IEC_62196_T1", "SAE_J3400", "TESLA_R", "TESLA_S"}
_STANDARD_NAMES = {
    "TYPE1": "IEC_62196_T1",
    "J1772": "IEC_62196_T1",
    "TYPE2": "IEC_62196_T2",
    "MENNEKES": "IEC_62196_T2",
    "CCS": "IEC_62196_T2_COMBO",
    "CCS1": "IEC_62196_T1_COMBO",
    "CCS2": "IEC_62196_T2_COMBO",
    "COMBO2": "IEC_62196_T2_COMBO",
    "SCHUKO": "DOMESTIC_F",
    "NACS": "SAE_J3400",
    "J3400": "SAE_J3400",
}
_MANDATORY = ("id", "standard", "format", "power_type", "max_voltage", "max_amperage")
_OPTIONAL = ("max_electric_power", "tariff_ids", "terms_and_conditions", "capabilities")


@dataclass(frozen=True)
class Rating:
    """What the record says of the whole charge point; None where it says nothing."""

    power_kw: float | None = None
    current: str | None = None
    """"AC" or "DC"."""
    shared: bool = True
    """Whether the power is the whole charge point's and not one connector's own."""


def read_power_kw(value: object) -> float | None:
    """A power in kW from "22kW", "11 kW", "3,7 kW", "150000 W" or a number of kW."""
    if value is None or value == "":
        return None
    power_kw = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        power_kw = float(value) if abs(value) <= _STRONGEST_KW else math.nan
    elif isinstance(value, str):
        match = _POWER.fullmatch(value)
        if match:
            unit = (match[2] or "kw").lower()
            power_kw = float(match[1].replace(",", ".")) * _UNIT_KW[unit]
    if not 0.1 <= power_kw <= _STRONGEST_KW:
        raise BadValue('not a power like "22kW"')
    return round(power_kw, 6)


def read_current(value: object) -> str | None:
    """ "AC" or "DC" from a charge point's `type`: "AC", "dc", "DC fast charger"."""
    if value is None or value == "":
        return None
    found: set[str] = set(_KIND.findall(value.upper())) if isinstance(value, str) else set()
    if len(found) != 1:
        raise BadValue("neither AC nor DC")
    return found.pop()


def connectors_of(
    given: object, rating: Rating, common: Mapping[str, Any], warnings: list[str]
) -> list[dict[str, Any]]:
    """OCPI Connectors without `last_updated`; at least one.

    `given` is metadata's list of (partial) connectors or None; `common` holds optional fields that
    every connector takes over (tariff_ids, terms_and_conditions). What is bad in an optional field
    goes to `warnings`. Raises BadValue for a connector that cannot be understood.
    """
    if given is None or given == []:
        return [{**_complete({"id": "1"}, rating), **common}]
    items = [given] if isinstance(given, Mapping) else given
    if not isinstance(items, list):
        raise BadValue("not a list of connectors")
    connectors = []
    for number, item in enumerate(items, start=1):
        try:
            stated, own_rating = _stated(item, number, rating, warnings)
        except BadValue as bad:
            raise BadValue(f"connector {number}: {bad}") from None
        connectors.append({**common, **_complete(stated, own_rating)})
    if len({connector["id"].lower() for connector in connectors}) < len(connectors):
        raise BadValue("two connectors have the same id")
    return connectors


def _stated(
    item: object, number: int, rating: Rating, warnings: list[str]
) -> tuple[dict[str, Any], Rating]:
    """The valid fields of one partial connector, and the rating that holds for it."""
    if not isinstance(item, Mapping):
        raise BadValue("not an object")
    stated: dict[str, Any] = {}
    for name in _MANDATORY:
        value = _standard(item.get(name)) if name == "standard" else item.get(name)
        try:
            read = read_connector_field(name, value)
        except BadValue as bad:
            raise BadValue(f"{name}: {bad}") from None
        if read is not None:
            stated[name] = read
    for name in ("max_voltage", "max_amperage"):
        if stated.get(name, 1) <= 0:
            raise BadValue(f"{name}: not above 0")
    for name in _OPTIONAL:
        try:
            read = read_connector_field(name, item.get(name))
        except BadValue as bad:
            warnings.append(f"left out: {name} of connector {number}: {bad}")
            continue
        if read is not None:
            stated[name] = read
    if stated.get("max_electric_power", 1) <= 0:
        del stated["max_electric_power"]
        warnings.append(f"left out: max_electric_power of connector {number}: not above 0")
    power_kw = read_power_kw(item.get("power_rating"))
    if "max_electric_power" in stated:
        power_kw = min(stated["max_electric_power"] / 1000, _STRONGEST_KW)
    stated.setdefault("id", str(number))
    if power_kw is None:
        return stated, rating
    return stated, Rating(power_kw, rating.current, shared=False)


def _complete(stated: Mapping[str, Any], rating: Rating) -> dict[str, Any]:
    """The connector with what is not stated derived from what is."""
    power_type, power_kw = _power(stated, rating)
    standard = stated.get("standard") or (
        "IEC_62196_T2_COMBO" if power_type == DC else "IEC_62196_T2"
    )
    attached = standard in _CABLE_STANDARDS or power_type == DC or power_kw > _SOCKET_UP_TO_KW
    voltage = stated.get("max_voltage") or _voltage(power_type, power_kw)
    amperage = stated.get("max_amperage") or _amperage(power_type, power_kw, voltage)
    complete = {
        "id": stated["id"],
        "standard": standard,
        "format": stated.get("format") or ("CABLE" if attached else "SOCKET"),
        "power_type": power_type,
        "max_voltage": voltage,
        "max_amperage": amperage,
    }
    if rating.power_kw or not ("max_voltage" in stated and "max_amperage" in stated):
        complete["max_electric_power"] = round(power_kw * 1000)
    return {**complete, **stated}


def _power(stated: Mapping[str, Any], rating: Rating) -> tuple[str, float]:
    """Power type and power in kW."""
    standard = stated.get("standard", "")
    power_type = stated.get("power_type")
    if power_type is None and (standard in _DC_STANDARDS or (not standard and _is_dc(rating))):
        power_type = DC
    if power_type == DC:
        return DC, rating.power_kw or _DEFAULT_DC_KW
    usual_phases, usual_kw = _usual(standard)
    phases = PHASES[power_type] if power_type else usual_phases
    # The AC socket beside a 150 kW CCS cable does not give 150 kW.
    power_kw = None if rating.shared and _is_dc(rating) else rating.power_kw
    if power_kw is None and "max_amperage" in stated:
        volts = stated.get("max_voltage", _MAINS_V)
        power_kw = stated["max_amperage"] * volts * (phases or 3) / 1000
    if power_kw is None:
        power_kw = usual_kw if phases in (None, usual_phases, 3) else usual_kw / 3 * phases
    if phases is None:
        phases = 1 if power_kw <= _ONE_PHASE_UP_TO_KW else 3
    return power_type or ("AC_1_PHASE" if phases == 1 else "AC_3_PHASE"), power_kw


def _is_dc(rating: Rating) -> bool:
    if rating.current:
        return rating.current == DC
    return rating.power_kw is not None and rating.power_kw > _AC_UP_TO_KW


def _usual(standard: str) -> tuple[int | None, float]:
    """Phases (None: depends on the power) and power in kW that a standard's connectors have."""
    if standard == "IEC_62196_T1" or standard.startswith(("TESLA", "NEMA", "SAE")):
        return 1, 7.4
    if standard.startswith("DOMESTIC") or standard == "IEC_60309_2_single_16":
        return 1, 3.68
    if standard.startswith("IEC_60309_2_three"):
        return 3, int(standard.rsplit("_", 1)[1]) * _MAINS_V * 3 / 1000
    return None, _DEFAULT_AC_KW


def _voltage(power_type: str, power_kw: float) -> int:
    if power_type != DC:
        return _MAINS_V
    return 500 if power_kw <= _LOW_VOLTAGE_DC_UP_TO_KW else 920


def _amperage(power_type: str, power_kw: float, voltage: int) -> int:
    if power_type == DC:
        laid_out_for = min(_CABLE_A, math.ceil(power_kw * 1000 / min(voltage, _CAR_BATTERY_V)))
        return max(laid_out_for, math.ceil(power_kw * 1000 / voltage))
    amperage = power_kw * 1000 / (voltage * PHASES[power_type])
    nearest = min(_BREAKERS_A, key=lambda breaker: abs(breaker - amperage))
    if abs(nearest - amperage) <= _BREAKER_TOLERANCE * nearest:
        return nearest
    return max(1, round(amperage))


def _standard(value: object) -> object:
    """Everyday names of connectors, such as "CCS" and "Type 2"."""
    if not isinstance(value, str):
        return value
    return _STANDARD_NAMES.get(re.sub(r"[^A-Z0-9]", "", value.upper()), value)
