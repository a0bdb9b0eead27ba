"""Locations that were kept before peers could insist on fields say which of those they have."""

from __future__ import annotations

from db_interface.interface import DbInterface
from domain.objects import locations


async def note_what_locations_have(store: DbInterface) -> None:
    await locations.note_what_they_have(store.db)
