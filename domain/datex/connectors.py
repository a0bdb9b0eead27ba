"""A connector: its plug, its form, its power. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from db_interface.json_data import JsonMapping, JsonObject
from domain.datex.words import Shared, enum, said
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


class Plug(NamedTuple):
    """All of a connector that stands in DATEX II: many have it alike."""

    standard: str
    format: str
    power_type: str
    volts: int
    amperes: int
    watts: int
    """what it gives at most"""
    plug_and_charge: bool

    @property
    def is_dc(self) -> bool:
        return self.power_type == DC


def plugs_of(evse: JsonMapping) -> tuple[Plug, ...]:
    """The strongest first."""
    found = [_plug(connector) for connector in evse["connectors"]]
    return tuple(sorted(found, key=_WATTS, reverse=True) if len(found) > 1 else found)


_WATTS = attrgetter("watts")


def _plug(connector: JsonMapping) -> Plug:
    volts, amperes = connector["max_voltage"], connector["max_amperage"]
    power_type = connector["power_type"]
    capabilities = connector.get("capabilities") or ()
    return Plug(
        connector["standard"],
        connector["format"],
        power_type,
        volts,
        amperes,
        # The voltage of alternating current is that of a phase.
        connector.get("max_electric_power") or volts * amperes * PHASES.get(power_type, 1),
        bool(capabilities) and any(_PLUG_AND_CHARGE in one for one in capabilities),
    )


@lru_cache(maxsize=4096)
def connector_of(plug: Plug) -> JsonObject:
    type_ = TYPES.get(plug.standard, OTHER)
    return Shared(
        said(
            connectorType=enum(type_),
            otherConnector=plug.standard if type_ == OTHER else None,
            connectorFormat=enum(_format(plug)),
            maxPowerAtSocket=plug.watts,
            voltage=plug.volts,
            maximumCurrent=plug.amperes,
        )
    )


def charging_mode(plug: Plug) -> str | None:
    """IEC 61851's; DATEX II has no word for mode 3 with one phase or two."""
    if plug.is_dc:
        return "mode4DC"
    if plug.power_type == "AC_3_PHASE" and plug.standard in _MODE_3:
        return "mode3AC3p"
    return None


def _format(plug: Plug) -> str:
    if plug.format == "SOCKET":
        return "socket"
    return "cableMode3" if plug.standard in _MODE_3 else "otherCable"
