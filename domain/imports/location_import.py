"""Locations out of files: real ones hold nulls, wrong case and worse."""

from __future__ import annotations

from typing import Any

from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from domain.schemas import Location, tidy_location, validate


def read_location(row: dict[str, Any]) -> tuple[OwnedObject, list[str]]:
    """The location of a row, as far as it can be understood. Raises SchemaError."""
    return owned_location(validate(Location, tidy_location(row))), []
