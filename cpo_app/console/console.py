"""The console's parts: where it reads, what it may do, and how it keeps strangers out.

What it does to charge points and peers are calls that whoever builds it hands in: the console
knows no other room of the system.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.console.forms import COOKIE, Forms
from cpo_app.console.rendering import Rendering, utc_now
from cpo_app.operator_guard import OperatorGuard
from db_interface.database import Database
from domain.charge_points import evse_history
from domain.charge_points.evse_history import Uptime
from domain.peers.peers import Peer

logger = logging.getLogger("cpo.console")

SetOperative = Callable[[str, bool], Awaitable[Any]]
Invite = Callable[[str, datetime], Awaitable[tuple[Peer, str]]]
Resync = Callable[[str], Awaitable[int]]
"""Mark everything for the peer with that id; how many objects."""

UPTIME_KEPT_S = 30.0
_MAX_UPTIMES = 500


class Console:
    """One per process. `resync` None: there is no push here, and the button is left out."""

    def __init__(
        self,
        db: Database,
        guard: OperatorGuard,
        digest: Callable[[str], str],
        *,
        title: str,
        versions_url: str,
        docs_url: str,
        set_operative: SetOperative,
        invite: Invite,
        resync: Resync | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.db = db
        self.guard = guard
        self.forms = Forms(digest)
        self.rendering = Rendering(title, docs_url, clock)
        self.versions_url = versions_url
        self.set_operative = set_operative
        self.invite = invite
        self.resync = resync
        self.clock = clock
        self._uptimes: dict[str, tuple[float, list[tuple[str, Uptime]]]] = {}
        self._background: set[asyncio.Task[Any]] = set()

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """A page with everything that the frame around it needs."""
        visitor = self.forms.visitor(request)
        response = self.rendering.page(
            template,
            {"path": request.url.path, "form_token": self.forms.token(visitor), **values},
            status=status,
        )
        if request.cookies.get(COOKIE) != visitor:
            response.set_cookie(
                COOKIE, visitor, httponly=True, samesite="lax", secure=request.url.scheme == "https"
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

    def in_background(self, work: Awaitable[Any], what: str) -> None:
        """Let something long run on behind the answer; its end is logged."""

        async def run() -> None:
            try:
                outcome = await work
            except Exception:  # nobody awaits this task: its error would be lost
                logger.exception("%s failed", what)
            else:
                logger.info("%s: %s", what, outcome)

        task = asyncio.create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
