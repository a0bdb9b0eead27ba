"""A payment terminal provider's terminals and captures, as an operator sees them on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.payments import payments
from domain.versions import ObjectKind

MAX_SHOWN = 200


@dataclass(frozen=True)
class OfProvider:
    rows: Sequence[JsonMapping]
    """its Terminals"""
    confirmations: Sequence[JsonMapping]

    def shown(self, endpoints: Sequence[JsonMapping]) -> bool:
        """Whether there is anything, or the peer (its endpoints) may have terminals to be had."""
        offers = any(row["identifier"] == "payments" for row in endpoints)
        return offers or bool(self.rows) or bool(self.confirmations)


async def of_provider(db: Database, peer_id: str) -> OfProvider:
    terminals, confirmations = [
        await payments.listed(db, kind, limit=MAX_SHOWN, peer_id=peer_id)
        for kind in (ObjectKind.TERMINAL, ObjectKind.FINANCIAL_ADVICE_CONFIRMATION)
    ]
    return OfProvider(
        [row["object"] for row in terminals], [row["object"] for row in confirmations]
    )
