"""Every step of upgrade, in order. A new one is added at the end and never taken out again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from db_interface.interface import DbInterface
from domain.upgrades.step_1_claims import make_claims
from domain.upgrades.step_2_idempotency_keys import rename_slots
from domain.upgrades.step_3_location_fields import note_what_locations_have


@dataclass(frozen=True)
class Step:
    name: str
    """what it is about, for the log"""
    run: Callable[[DbInterface], Awaitable[None]]


STEPS = (
    Step("each party has one holder", make_claims),
    Step("commands have idempotency keys", rename_slots),
    Step("locations are found by the fields that they have", note_what_locations_have),
)
"""The store's version is how many of them it has had."""
