"""Tariffs (OCPI 2.2.1, mod_tariffs): stored, and read by the parties that may see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crud.schemas import parse_datetime
from crud.sender_module import SenderModule
from db_interface.owned_objects import OwnedObject


class Tariffs(SenderModule):
    module = "tariffs"


def owned_tariff(tariff: Mapping[str, Any]) -> OwnedObject:
    """A valid Tariff as the store keeps it."""
    return OwnedObject(
        country_code=tariff["country_code"],
        party_id=tariff["party_id"],
        key_parts=(tariff["id"],),
        fields=tariff,
        last_updated=parse_datetime(tariff["last_updated"]),
    )
