"""Anything by what one has at hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from cpo_app.actions.house import House
from cpo_app.api.routes import answered
from domain.operator.search import MAX_LENGTH, search
from domain.operators.actor import Role, current_actor


def add_search(router: APIRouter, house: House) -> None:
    @router.get("/search", tags=["search"])
    async def found(
        q: Annotated[
            str,
            Query(min_length=1, max_length=MAX_LENGTH, description="An id, card, contract, name."),
        ],
    ) -> Response:
        """What has that very id, card or name (`exact`), else what begins so, some of each kind;
        correlation ids for operators."""
        is_operator = current_actor().may(Role.OPERATOR)
        hits = await search(house.store.db, q, exchanges=is_operator)
        return answered(
            {"exact": hits.exact, "items": [asdict(one) for one in hits.hits], "more": hits.more}
        )
