"""The pages on the platform itself: its people and keys, secrets, backups, settings."""

import asyncio

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.operator_guard import demand
from cpo_app.settings.showing import shown_settings
from db_interface.json_data import JsonObject
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
    async def platform(request: Request, done: Done = None, look: bool = False) -> Response:
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
            settings=_settings(console),
            done=said(done),
        )


def _settings(console: Console) -> JsonObject:
    """Those that were given, and what the others are; secrets redacted."""
    settings = console.house.settings
    return {
        name: {"value": value, "given": name in settings.__fields_set__}
        for name, value in sorted(shown_settings(settings).items())
    }
