"""A connector: its plug, its form, its power. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.words import enum, external_id, said
from domain.sites.power_types import DC, PHASES

OTHER = "other"
TYPES: Mapping[str, str] = {
    "CHADEMO": "chademo",
    "CHAOJI": OTHER,
    **{f"DOMESTIC_{letter}": f"domestic{letter}Type" for letter in "ABCDEFGHIJKLMNO"},
    "GBT_AC": OTHER,
    "GBT_DC": OTHER,
    "IEC_60309_2_single_16": "iec60309x2single16",
    "IEC_60309_2_three_16": "iec60309x2three16",
    "IEC_60309_2_three_32": "iec60309x2three32",
    "IEC_60309_2_three_64": "iec60309x2three64",
    "IEC_62196_T1": "iec62196T1",
    "IEC_62196_T1_COMBO": "iec62196T1COMBO",
    "IEC_62196_T2": "iec62196T2",
    "IEC_62196_T2_COMBO": "iec62196T2COMBO",
    "IEC_62196_T3A": "iec62196T3A",
    "IEC_62196_T3C": "iec62196T3C",
    "MCS": "mcs",
    **dict.fromkeys(("NEMA_5_20", "NEMA_6_30", "NEMA_6_50", "NEMA_10_30", "NEMA_10_50"), OTHER),
    **dict.fromkeys(("NEMA_14_30", "NEMA_14_50"), OTHER),
    "PANTOGRAPH_BOTTOM_UP": "pantographBottomUp",
    "PANTOGRAPH_TOP_DOWN": "pantographTopDown",
    "SAE_J3400": "teslaConnectorAmerica",
    "TESLA_R": "teslaR",
    "TESLA_S": "teslaS",
}
"""OCPI's ConnectorType to ConnectorTypeEnum; what is OTHER is named in otherConnector."""

_MODE_3 = ("IEC_62196_T1", "IEC_62196_T2", "IEC_62196_T3A", "IEC_62196_T3C")
_PLUG_AND_CHARGE = "PLUG_AND_CHARGE"


def connector_of(connector: JsonMapping) -> JsonObject:
    standard = connector["standard"]
    type_ = TYPES.get(standard, OTHER)
    return said(
        connectorType=enum(type_),
        otherConnector=standard if type_ == OTHER else None,
        connectorFormat=enum(_format(connector)),
        maxPowerAtSocket=power_w(connector),
        voltage=connector["max_voltage"],
        maximumCurrent=connector["max_amperage"],
        externalIdentifier=[external_id(connector["id"], "ocpiConnectorId")],
    )


def power_w(connector: JsonMapping) -> int:
    """What it gives at most; the voltage of alternating current is that of a phase."""
    phases = PHASES.get(connector["power_type"], 1)
    electric = connector["max_voltage"] * connector["max_amperage"] * phases
    return int(connector.get("max_electric_power") or electric)


def is_dc(connector: JsonMapping) -> bool:
    return bool(connector["power_type"] == DC)


def charging_mode(connector: JsonMapping) -> str | None:
    """IEC 61851's; DATEX II has no word for mode 3 with one phase or two."""
    if is_dc(connector):
        return "mode4DC"
    if connector["power_type"] == "AC_3_PHASE" and connector["standard"] in _MODE_3:
        return "mode3AC3p"
    return None


def has_plug_and_charge(connector: JsonMapping) -> bool:
    return any(_PLUG_AND_CHARGE in one for one in connector.get("capabilities") or ())


def _format(connector: JsonMapping) -> str:
    if connector["format"] == "SOCKET":
        return "socket"
    return "cableMode3" if connector["standard"] in _MODE_3 else "otherCable"
