"""Which of the optional fields that a peer may insist on a location has. Pure.

The specification requires none of them; some platforms take no location without. What a peer
insists on is its profile, in its settings (domain/peers/requirements.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

from db_interface.json_data import JsonMapping

FIELDS: Mapping[str, tuple[str, ...]] = {
    "owner.name": ("owner", "name"),
    "operator.name": ("operator", "name"),
    "postal_code": ("postal_code",),
    "opening_times": ("opening_times",),
    "energy_mix": ("energy_mix",),
    "evse_id": ("evses", "evse_id"),
    "capabilities": ("evses", "capabilities"),
    "parking_restrictions": ("evses", "parking_restrictions"),
    "max_electric_power": ("evses", "connectors", "max_electric_power"),
    "tariff_ids": ("evses", "connectors", "tariff_ids"),
}
"""What can be required, and where it stands: in a list, each of its members has to have it."""

PROFILES: Mapping[str, tuple[str, ...]] = {
    "gireve": ("owner.name", "operator.name", "capabilities", "tariff_ids"),
    "dot-nl": (
        "opening_times",
        "energy_mix",
        "parking_restrictions",
        "max_electric_power",
        "tariff_ids",
    ),
}

_REMOVED = "REMOVED"
_LISTS = ("evses", "connectors")
_PLACES = tuple(
    (name, sum(step in _LISTS for step in path), [step for step in path if step not in _LISTS])
    for name, path in FIELDS.items()
)
"""Of each: in how many of the lists it stands, and its path from there."""


def fields_of(location: JsonMapping) -> list[str]:
    """Those of FIELDS that the location has. EVSEs that are REMOVED need nothing any more."""
    evses = [one for one in location.get("evses") or () if one.get("status") != _REMOVED]
    connectors = [one for evse in evses for one in evse.get("connectors") or ()]
    parts: tuple[Sequence[JsonMapping], ...] = (location,), evses, connectors
    return [name for name, depth, path in _PLACES if all(map(_is_said, parts[depth], repeat(path)))]


def lacking(has: Sequence[str], required: Sequence[str]) -> list[str]:
    """What is required of a location and not among what it has."""
    return [name for name in required if name not in has]


def _is_said(part: JsonMapping, path: Sequence[str]) -> bool:
    value: object = part.get(path[0])
    for step in path[1:]:
        value = value.get(step) if isinstance(value, Mapping) else None
    return bool(value)
