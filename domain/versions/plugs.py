"""Plugs that a version cannot name, in bills: there an EVSE must not be missing for its plug."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from domain.versions.fitting import Notes

SAME_SHAPE: Mapping[str, str] = {"SAE_J3400": "TESLA_S"}
"""Mechanically compatible (2.3.0, ConnectorType); for any place."""


def named(
    plug: str, power_type: str, known: Collection[str], notes: Notes, field: str, into: str
) -> str:
    """The plug, or where the version does not know it the commonest of its current."""
    if plug in known:
        return plug
    commonest = "IEC_62196_T2_COMBO" if power_type == "DC" else "IEC_62196_T2"
    nearest = SAME_SHAPE.get(plug, commonest)
    notes.lost(field, f"{into} has no ConnectorType {plug}: {nearest}")
    return nearest
