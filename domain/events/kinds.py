"""What events are about: each kind has a topic, and its objects have keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping

LOCATIONS, TARIFFS, SESSIONS, CDRS = "locations", "tariffs", "sessions", "cdrs"
CHARGE_POINTS, COMMANDS = "charge-points", "commands"

OCPI_KINDS = (TARIFFS, LOCATIONS, SESSIONS, CDRS)
"""Objects of the OCPI modules of the same name; what others refer to comes first."""
KINDS = (*OCPI_KINDS, CHARGE_POINTS, COMMANDS)


TYPES: Mapping[str, tuple[str, ...]] = {
    LOCATIONS: ("location.changed",),
    TARIFFS: ("tariff.changed", "tariff.removed"),
    SESSIONS: ("session.changed",),
    CDRS: ("cdr.created",),
    CHARGE_POINTS: ("charge-point.changed",),
    COMMANDS: ("command.changed",),
}
"""By kind, what can be told of it; a prefix of the operator's goes before each."""


def type_of(kind: str, *, gone: bool = False) -> str:
    """The type of an event about an object of that kind, without the prefix."""
    return TYPES[kind][1 if gone else 0]
