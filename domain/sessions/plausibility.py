"""What a charge point says of a session, held against what physics allows. Pure.

A word that cannot be true is not billed: the session is held for the operator, with the reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.objects import OcpiObject
from domain.sessions.session_document import ChargingSession

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""Beyond it a charge point's times are not believed."""
_FREE_WH = 100.0
_FREE_TIME = timedelta(minutes=1)
"""A meter value may be told a little after it was read."""
_LESS_WH = 1.0
_PHASES = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}


def power_bound_w(connector: OcpiObject) -> int:
    """What the connector can give at most; voltage is per phase (mod_locations, Connector)."""
    phases = _PHASES.get(connector["power_type"], 1)
    electric = int(connector["max_voltage"] * connector["max_amperage"] * phases)
    return int(connector.get("max_electric_power") or electric)


def doubt_of_time(document: ChargingSession, at: datetime, now: datetime) -> str | None:
    """Why `at` can be no time of the session, or None."""
    if at > now + MAX_CLOCK_SKEW:
        return "it is dated in the future"
    if at < document["created"] - MAX_CLOCK_SKEW:
        return "it is dated before the session was opened"
    return None


def doubt_of_energy(
    document: ChargingSession,
    at: datetime,
    energy_wh: float,
    register_wh: float | None,
    factor: float,
) -> str | None:
    """Why a meter value cannot be true, or None. `factor`: 0 believes any power."""
    known_wh = document["energy_wh"]
    if at > document["last_at"] and energy_wh < known_wh - _LESS_WH:
        return f"its energy fell from {known_wh:.0f} to {energy_wh:.0f} Wh"
    start_wh = document.get("register_start_wh")
    if register_wh is not None and start_wh is not None and register_wh < start_wh - _LESS_WH:
        return f"its register fell from {start_wh:.0f} to {register_wh:.0f} Wh"
    power_w = document.get("power_bound_w")
    if not power_w or not factor:
        return None
    since = document.get("flows_since") or document["started"] or document["created"]
    hours = max(at - since + _FREE_TIME, _FREE_TIME).total_seconds() / 3600
    most_wh = power_w * factor * hours + _FREE_WH
    if energy_wh > most_wh:
        minutes = hours * 60
        return (
            f"{energy_wh:.0f} Wh in {minutes:.0f} minutes are more than its connector can give"
            f" ({power_w / 1000:g} kW)"
        )
    return None
