"""The console's parts: where it reads, what it may do, and how it keeps strangers out.

What it asks of Central is a call that whoever builds it hands in: the console knows no other
room of the system.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from cpo_app.console.forms import COOKIE, Forms
from cpo_app.console.rendering import Rendering
from cpo_app.operator_guard import OperatorGuard, demand
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.charge_points import evse_history
from domain.charge_points.evse_history import Uptime
from domain.operators.actor import Role, current_actor
from domain.peers.peers import Peer
from domain.peers.terms import Terms
from domain.sessions.session_rules import Rules
from domain.sites import Party
from domain.times import utc_now

logger = logging.getLogger("cpo.console")

SetOperative = Callable[[str, bool], Awaitable[object]]


class Invite(Protocol):
    async def __call__(
        self, name: str, now: datetime, terms: Terms, *, settings: JsonMapping | None = None
    ) -> tuple[Peer, str]: ...


Replay = Callable[[str], Awaitable[str | None]]
"""Hand a dead letter to the handlers again: None, or why it was not taken."""

MAX_WAIT_S = 2.0
"""What takes longer goes on behind the answer: nobody should wait before a blank page."""
UPTIME_KEPT_S = 30.0
_MAX_UPTIMES = 500


class Console:
    """One per process."""

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
        party: Party,
        session_rules: Rules,
        replay: Replay,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.db = db
        self.store = DbInterface(db)
        self.guard = guard
        self.digest = digest
        self._forms = Forms(digest)
        self.rendering = Rendering(title, docs_url, clock)
        self.versions_url = versions_url
        self.set_operative = set_operative
        self.invite = invite
        self.party = party
        self.session_rules = session_rules
        self.replay = replay
        self.clock = clock
        self._uptimes: dict[str, tuple[float, list[tuple[str, Uptime]]]] = {}
        self._background: set[asyncio.Task[object]] = set()

    async def submitted(self, request: Request, needed: Role) -> dict[str, str]:
        """The fields of a form of our own page, sent by one who may do what it is for.

        Raises NotTheOperator, FormRefused.
        """
        demand(needed)
        return await self._forms.read(request)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """A page with everything that the frame around it needs."""
        actor = current_actor()
        visitor = self._forms.visitor(request)
        response = self.rendering.page(
            template,
            {
                "path": request.url.path,
                "form_token": self._forms.token(visitor),
                "actor": actor,
                "may": {role.value: actor.may(role) for role in Role},
                **values,
            },
            status=status,
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

    async def meanwhile(self, work: Coroutine[object, object, Any], what: str) -> bool:
        """Do it, and wait for it for a moment: whether it has ended. Raises what it raises within
        that time; later its end is logged."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        done, _ = await asyncio.wait({task}, timeout=MAX_WAIT_S)
        if done:
            task.result()
            return True
        task.add_done_callback(partial(_log_end, what))
        return False


def _log_end(what: str, task: asyncio.Task[object]) -> None:
    if task.cancelled():
        logger.warning("%s was broken off", what)
    elif task.exception() is not None:  # nobody awaits this task: its error would be lost
        logger.error("%s failed", what, exc_info=task.exception())
    else:
        logger.info("%s: %s", what, task.result())
