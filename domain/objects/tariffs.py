"""A Tariff as the store keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db_interface.owned_objects import OwnedObject
from domain.schemas import parse_datetime


def owned_tariff(tariff: Mapping[str, Any]) -> OwnedObject:
    """A valid Tariff as the store keeps it."""
    return OwnedObject(
        country_code=tariff["country_code"],
        party_id=tariff["party_id"],
        key_parts=(tariff["id"],),
        fields=tariff,
        last_updated=parse_datetime(tariff["last_updated"]),
    )
