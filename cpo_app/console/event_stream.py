"""`/console/events`: server-sent events that tell an open page to look again.

It carries no data: what has changed is on the page, for which the browser has to be let in anew.
It ends with the login. The server that stops does not wait for it, and a comment every so often
keeps proxies from ending it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from auth.operator_access import Door
from cpo_app.console.console import Console
from cpo_app.console.news import Listener, NotWatched, TooMany
from cpo_app.console.rendering import HEADERS
from cpo_app.front_door.kept_connections import end_when_stopping
from cpo_app.operator_guard import NotTheOperator
from db_interface.database import STORE_ERRORS
from domain.operators.actor import current_actor
from domain.rounds import pause

PATH = "/console/events"
PING_S = 15.0
"""So often the login is looked at, too."""
GAP_S = 1.0
"""Between two events at least."""
_CHANGED = "event: changed\ndata:\n\n"
_ENDED = "event: ended\ndata:\n\n"
_PING = ": still here\n\n"


def add_event_stream(router: APIRouter, console: Console, *, ping_s: float = PING_S) -> None:
    @router.get(PATH)
    async def events(request: Request, shows: str = Query(max_length=2000)) -> Response:
        actor = current_actor()
        try:
            listener = console.news.listener(f"{actor.kind.value}:{actor.name}", shows)
        except NotWatched as error:
            return Response(f"{error}\n", 404, headers=HEADERS, media_type="text/plain")
        except TooMany:
            text = "Too many pages listen already.\n"
            return Response(text, 429, headers=HEADERS, media_type="text/plain")

        end_when_stopping(request.scope)
        return StreamingResponse(
            _told(console, request, listener, ping_s),
            media_type="text/event-stream",
            headers={
                **HEADERS,
                "X-Accel-Buffering": "no",
                # Compressed, an event would lie until others fill a block.
                "Content-Encoding": "identity",
            },
        )


async def _told(
    console: Console, request: Request, listener: Listener, ping_s: float
) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    looked = clock()
    with console.news.listening(listener):
        yield _PING
        while not listener.over:
            await pause(listener.news, max(0.0, looked + ping_s - clock()))
            if clock() - looked >= ping_s:
                looked = clock()
                if not await _is_let_in(console, request):
                    break
                yield _PING
            if listener.taken():
                yield _CHANGED
                await asyncio.sleep(GAP_S)
        yield _ENDED


async def _is_let_in(console: Console, request: Request) -> bool:
    """Still; who cannot be looked up at present sees no page either, and keeps the stream."""
    try:
        await console.guard.actor(request, Door.CONSOLE)
    except NotTheOperator:
        return False
    except STORE_ERRORS:
        return True
    return True
