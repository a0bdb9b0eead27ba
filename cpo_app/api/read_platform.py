"""The platform itself: notices, audit log, settings, keys, backups, and who asks."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Query, Response

from cpo_app.actions.catalog import all_actions
from cpo_app.actions.house import House
from cpo_app.api.lists import add_list
from cpo_app.api.routes import answered
from cpo_app.notice_settings import target_ids
from cpo_app.operator_guard import demand
from cpo_app.settings.showing import shown_settings
from domain import key_rotation
from domain.backups.last_backup import last_backup
from domain.open_data.completeness import completeness
from domain.operator.event_states import event_state
from domain.operator.lists import audit as audit_list
from domain.operator.notices import notices
from domain.operators.actor import Role, current_actor


def add_platform(router: APIRouter, house: House) -> None:
    @router.get("/notices", tags=["notices"])
    async def notice_list() -> Response:
        """What is in trouble, what lately was, and whether those who are told of it take it."""
        found = await notices(house.store.db, target_ids(house.settings))
        return answered(asdict(found))

    @router.get("/events", tags=["events"])
    async def events() -> Response:
        """How the events to Kafka go: what waits, who sends them, what was not taken; null: none
        are kept."""
        found = await event_state(house.store.db)
        if found is None:
            return answered({"stream": None})
        trouble = found.trouble(house.store.db.now())
        return answered({"stream": {**asdict(found), "trouble": trouble}})

    add_list(router, house, "/audit", audit_list.LIST, tag="audit", meaning="Who did what to what.")

    @router.get("/settings", tags=["settings"])
    async def settings() -> Response:
        """The server's settings, secrets redacted, and where each comes `from`. None may change
        while it runs: a restart reads them."""
        shown = shown_settings(house.settings)
        origins = {name: house.settings.origin(name) for name in shown}
        return answered({"settings": shown, "from": origins, "changeable": []})

    @router.get("/secrets", tags=["secrets"])
    async def secrets() -> Response:
        """Under which key what is sealed stands, and of whom the older keys wait; for admins, as it
        goes through all peers and charge points."""
        demand(Role.ADMIN)
        found = await key_rotation.status(house.store.db, house.vault)
        return answered(found.facts())

    @router.get("/open-data/completeness", tags=["open data"])
    async def afir(limit: int = Query(1000, ge=0, le=10_000)) -> Response:
        """Which published EVSEs lack what the law (AFIR, Art. 20) wants known of them: `items`
        names the first `limit`, `lacking` counts, `mend` are the metadata keys that give it."""
        owners = house.settings.open_data_owners
        return answered(asdict(await completeness(house.store, owners, limit)))

    @router.get("/backups", tags=["backups"])
    async def backups() -> Response:
        """The latest backup that was made of this store (`cpo backup`); null: none was."""
        return answered({"last": await last_backup(house.store.db)})

    @router.get("/me", tags=["me"])
    async def me() -> Response:
        """Whom the key or password belongs to, and which actions that lets him do."""
        actor = current_actor()
        return answered(
            {
                "kind": actor.kind,
                "name": actor.name,
                "role": actor.role,
                "actions": [one.name for one in all_actions() if actor.may(one.needs)],
            }
        )
