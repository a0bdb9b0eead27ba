"""The role of a person or key, as an action is told it."""

from __future__ import annotations

from pydantic import Field

from domain.operators.actor import Role

ROLES = [role.value for role in Role]
ROLE = Field(..., title="Role", enum=ROLES, example="operator", max_length=20)


def known_role(value: str) -> str:
    """For a validator."""
    if value not in ROLES:
        raise ValueError(f"is none of {', '.join(ROLES)}")
    return value
