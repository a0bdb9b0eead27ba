"""A Tariff as the store keeps it."""

from __future__ import annotations

from db_interface.owned_objects import OwnedObject
from domain.objects import OcpiObject
from domain.schemas import parse_datetime


def owned_tariff(tariff: OcpiObject) -> OwnedObject:
    """A valid Tariff as the store keeps it."""
    return OwnedObject(
        country_code=tariff["country_code"],
        party_id=tariff["party_id"],
        key_parts=(tariff["id"],),
        fields=tariff,
        last_updated=parse_datetime(tariff["last_updated"]),
    )
