"""The pages on the platform itself: its people and keys, secrets, backups, settings."""

import asyncio

from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.settings_shown import settings_shown
from cpo_app.operator_guard import demand
from domain import key_rotation
from domain.backups.last_backup import last_backup
from domain.operators import api_keys, operators
from domain.operators.actor import Role, current_actor


def add_platform_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/operators")
    async def people(request: Request, done: Done = None) -> Response:
        demand(Role.ADMIN)
        known, keys = await asyncio.gather(operators.listed(db), api_keys.listed(db))
        now = db.now()
        return console.page(
            request,
            "operators.html",
            people=[operators.shown(one) for one in known],
            keys=[api_keys.shown(key, now) for key in keys],
            oidc=None if console.oidc is None else console.oidc.host,
            done=said(done),
        )

    @router.get("/console/platform")
    async def platform(
        request: Request,
        done: Done = None,
        look: bool = False,
        q: str = Query("", max_length=64),
        given: bool = False,
    ) -> Response:
        # Not on every view: it goes through all peers and charge points.
        secrets = None
        if look and current_actor().may(Role.ADMIN):
            secrets = await key_rotation.status(db, console.vault)
        backup = await last_backup(db)
        return console.page(
            request,
            "platform.html",
            secrets=secrets,
            newest=console.vault.kid,
            older=console.vault.older,
            backup=backup,
            settings=settings_shown(console.house.settings, q.strip(), given=given),
            q=q,
            given=given,
            done=said(done),
        )
