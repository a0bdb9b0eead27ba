"""People and API keys, for admins alone."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cpo_app.actions.house import House
from cpo_app.api.lists import page
from cpo_app.operator_guard import demand
from domain.operators import api_keys, operators
from domain.operators.actor import Role


def add_people(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/operators", tags=["operators"])
    async def operator_list() -> Response:
        """Who may come in, by name; for admins. People of a provider (OpenID Connect) are its."""
        demand(Role.ADMIN)
        return page([operators.shown(one) for one in await operators.listed(db)], None)

    @router.get("/keys", tags=["keys"])
    async def key_list() -> Response:
        """API keys by name, with their prefixes; for admins. The keys themselves are nowhere."""
        demand(Role.ADMIN)
        now = db.now()
        return page([api_keys.shown(key, now) for key in await api_keys.listed(db)], None)
