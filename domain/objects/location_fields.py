"""Which of the optional fields that a peer may insist on a location has. Pure.

The specification requires none of them; some platforms take no location without. What a peer
insists on is its profile, in its settings (domain/peers/requirements.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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


def fields_of(location: JsonMapping) -> list[str]:
    """Those of FIELDS that the location has. EVSEs that are REMOVED need nothing any more."""
    return [name for name, path in FIELDS.items() if all(_values(location, path))]


def lacking(has: Sequence[str], required: Sequence[str]) -> list[str]:
    """What is required of a location and not among what it has."""
    return [name for name in required if name not in has]


def _values(part: JsonMapping, path: Sequence[str]) -> Iterator[object]:
    """What stands at the path in each of its places; None or nothing where it is missing."""
    value = part.get(path[0])
    if len(path) == 1:
        yield value
    elif isinstance(value, Mapping):
        yield from _values(value, path[1:])
    elif path[0] in ("evses", "connectors"):
        for each in value or ():
            if each.get("status") != _REMOVED:
                yield from _values(each, path[1:])
    else:
        yield None
