"""National access points (role NAP): what the law has everybody know, and nothing else.

A platform that is nothing but that reads and is pushed published locations and tariffs. It has no
drivers: no card, command, session or bill is its business.
"""

from __future__ import annotations

from collections.abc import Collection

from db_interface.json_data import JsonMapping

NAP = "NAP"
MODULES = frozenset({"locations", "tariffs"})
"""What it has to do with, beside the versions, its credentials and a hub's list of clients."""


def is_access_point(roles: Collection[JsonMapping]) -> bool:
    """Whether a platform with these roles is that and nothing else."""
    return bool(roles) and all(role.get("role") == NAP for role in roles)
