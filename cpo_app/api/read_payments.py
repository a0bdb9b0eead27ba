"""Payment terminals, and what was captured at them, as their providers have told us."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cpo_app.actions.house import House
from cpo_app.api.lists import Cursor, Limit, OfPeer, page
from domain.payments import payments
from domain.versions import ObjectKind


def add_payments(router: APIRouter, house: House) -> None:
    async def listed(
        kind: ObjectKind, limit: int, cursor: str | None, peer: str | None
    ) -> Response:
        rows = await payments.listed(
            house.store.db, kind, limit=limit + 1, peer_id=peer, after=cursor
        )
        return page(rows[:limit], rows[limit - 1]["key"] if len(rows) > limit else None)

    @router.get("/terminals", tags=["terminals"])
    async def terminals(limit: Limit = 100, cursor: Cursor = None, peer: OfPeer = None) -> Response:
        """Terminals by their providers; `object` is what the provider says of it."""
        return await listed(ObjectKind.TERMINAL, limit, cursor, peer)

    @router.get("/financial-advice-confirmations", tags=["terminals"])
    async def confirmations(
        limit: Limit = 100, cursor: Cursor = None, peer: OfPeer = None
    ) -> Response:
        """What providers have captured for sessions: `authorization_reference` says for which."""
        return await listed(ObjectKind.FINANCIAL_ADVICE_CONFIRMATION, limit, cursor, peer)
