"""The console's parts: where it reads, what it may do, and how it keeps strangers out.

What it does are the actions (cpo_app/actions): the console knows no other room of the system.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from auth.operator_login import OperatorLogin
from cpo_app.actions.action import Refused
from cpo_app.actions.house import House
from cpo_app.console.forms import COOKIE, Forms
from cpo_app.console.map_tiles import MapTiles
from cpo_app.console.news import News
from cpo_app.console.oidc import Oidc
from cpo_app.console.rendering import THEME_COOKIE, Rendering
from cpo_app.console.zones import Zones
from cpo_app.operator_guard import OperatorGuard
from db_interface.json_data import JsonObject
from db_interface.watching import changed
from domain.charge_points import evse_history
from domain.charge_points.evse_history import Uptime
from domain.operator.fleet_counts import FleetCounts
from domain.operators.actor import Role, current_actor
from domain.secrets import Vault
from domain.times import utc_now

logger = logging.getLogger("cpo.console")

MAX_WAIT_S = 2.0
"""What takes longer goes on behind the answer: nobody should wait before a blank page."""
UPTIME_KEPT_S = 30.0
_MAX_UPTIMES = 500


class Console:
    """One per process."""

    def __init__(
        self,
        house: House,
        guard: OperatorGuard,
        vault: Vault,
        *,
        title: str,
        versions_url: str,
        docs_url: str,
        zone: str = "",
        demo_speed: float = 1,
        tiles: MapTiles | None = None,
        oidc: Oidc | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.house = house
        self.store = house.store
        self.db = house.store.db
        self.vault = vault
        self.login = OperatorLogin(guard.access, vault)
        self.oidc = oidc
        self.title = title
        self.guard = guard
        self.digest = vault.digest
        self._forms = Forms(vault.digest)
        self.zones = Zones(zone)
        self.rendering = Rendering(title, docs_url, clock, zone=zone, demo_speed=demo_speed)
        self.tiles = tiles
        self.fleet = FleetCounts(self.db)
        self.news = News(partial(changed, self.db))
        self.versions_url = versions_url
        self.clock = clock
        self._uptimes: dict[str, tuple[float, list[tuple[str, Uptime]]]] = {}
        self._background: set[asyncio.Task[JsonObject]] = set()

    async def submitted(self, request: Request) -> dict[str, str]:
        """The fields of a form of our own page, whoever sent it. Raises FormRefused."""
        return await self._forms.read(request)

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """A page with everything that the frame around it needs."""
        actor = current_actor()
        visitor = self._forms.visitor(request)
        response = self.rendering.page(
            template,
            {
                "path": request.url.path,
                "form_token": self._forms.token(visitor),
                "theme": request.cookies.get(THEME_COOKIE, ""),
                "actor": actor,
                "zone_name": self.zones.of(request).key,
                "may": {role.value: actor.may(role) for role in Role},
                **values,
            },
            status=status,
            headers=headers,
        )
        if request.cookies.get(COOKIE) != visitor:
            response.set_cookie(
                COOKIE,
                visitor,
                httponly=True,
                samesite="strict",
                secure=self.guard.is_https(request),
            )
        return response

    async def uptimes(self, cp_id: str) -> list[tuple[str, Uptime]]:
        """The last 24 hours' and 7 days' uptime: kept for a moment, as a history can be long."""
        held = self._uptimes.get(cp_id)
        if held is not None and time.monotonic() - held[0] < UPTIME_KEPT_S:
            return held[1]
        now = self.clock()
        figures = [
            (name, await evse_history.uptime(self.db, cp_id, now - length, now))
            for name, length in (("24 hours", timedelta(days=1)), ("7 days", timedelta(days=7)))
        ]
        if len(self._uptimes) >= _MAX_UPTIMES:
            self._uptimes.clear()
        self._uptimes[cp_id] = (time.monotonic(), figures)
        return figures

    async def meanwhile(
        self, work: Coroutine[object, object, JsonObject], what: str
    ) -> JsonObject | None:
        """Do it, and wait for it for a moment: its result, or None where it has not ended. Raises
        what it raises within that time; later its end is logged."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        done, _ = await asyncio.wait({task}, timeout=MAX_WAIT_S)
        if done:
            return task.result()
        task.add_done_callback(partial(_log_end, what))
        return None


def _log_end(what: str, task: asyncio.Task[JsonObject]) -> None:
    if task.cancelled():
        logger.warning("%s was broken off", what)
    elif task.exception() is not None:  # nobody awaits this task: its error would be lost
        error = task.exception()
        if isinstance(error, Refused):
            logger.warning("%s: not done: %s", what, error)
        else:
            logger.error("%s failed", what, exc_info=error)
    else:
        logger.info("%s: done", what)
