"""How every request to the console is answered: the operator's only, in time, errors as pages.

How long a browser takes to send its form is no matter of time: the store alone is waited for.

Never a traceback, and never a value that the request carried (names of parameters are said).
A form of our own page alone gets back what was typed into it, if it was refused (doing.py).
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse

from auth.operator_access import Door
from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused, read_whole
from cpo_app.console.rendering import HEADERS
from cpo_app.late_route import LateRoute
from cpo_app.log_ids import CORRELATION_HEADER, bound, usable_id
from cpo_app.operator_guard import LIVE, NotTheOperator
from db_interface.database import STORE_ERRORS
from domain.listing.filters import BadFilter
from domain.operators.actor import NOBODY, Actor, acting_as
from domain.paging import BadCursor

logger = logging.getLogger("cpo.console")

ANSWER_WITHIN_S = 15.0

Handler = Callable[[Request], Coroutine[object, object, Response]]


class NotUnderstood(Exception):
    """The address holds what no page of ours links to."""


class NotThere(Exception):
    """What the page is about does not exist; the message says what."""


def route_class(console: Console) -> type[APIRoute]:
    """The routes of one console; what a form is for says itself which role it needs."""

    class ConsoleRoute(LateRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    actor = await console.guard.actor(request, Door.CONSOLE)
                    with acting_as(actor), bound(correlation_id=_correlation_id(request)):
                        return await _in_time(handle, request)
                except NotTheOperator as refusal:
                    return _to_login(request, refusal) or _refused(console, refusal)
                except ClientDisconnect:
                    return Response(status_code=400)  # nobody is there to read it
                except Exception as error:
                    return _page_of(console, error)

            return answer

    return ConsoleRoute


def open_route_class(console: Console) -> type[APIRoute]:
    """Routes for whoever comes: those by which he signs in."""

    class OpenRoute(LateRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    # His forms, too, are of the person who sits there, if any does.
                    actor = await _whoever(console, request)
                    with acting_as(actor), bound(correlation_id=_correlation_id(request)):
                        return await _in_time(handle, request)
                except ClientDisconnect:
                    return Response(status_code=400)  # nobody is there to read it
                except Exception as error:
                    return _page_of(console, error)

            return answer

    return OpenRoute


def _correlation_id(request: Request) -> str:
    return usable_id(request.headers.get(CORRELATION_HEADER)) or str(uuid.uuid4())


async def _in_time(handle: Handler, request: Request) -> Response:
    _look_at_query(request)
    whole = await read_whole(request)
    return await asyncio.wait_for(handle(whole), ANSWER_WITHIN_S)


async def _whoever(console: Console, request: Request) -> Actor:
    try:
        return await console.guard.actor(request, Door.CONSOLE)
    except NotTheOperator:
        return NOBODY


def _to_login(request: Request, refusal: NotTheOperator) -> Response | None:
    """A person with a browser is asked who he is; a script, or a page that renews itself, is told
    that it is nobody."""
    for_people = "text/html" in request.headers.get("accept", "") and LIVE not in request.headers
    if refusal.http_status != 401 or request.method != "GET" or not for_people:
        return None
    if "authorization" in request.headers:
        return None
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = "/login" if path == "/" else f"/login?next={quote(path, safe='')}"
    return RedirectResponse(where, 303, headers=HEADERS)


def problem(console: Console, status: int, heading: str, text: str) -> Response:
    """A page that only says what is wrong; it needs nothing from the store."""
    values = {"status": status, "heading": heading, "text": text}
    return console.rendering.page("problem.html", values, status=status)


def _look_at_query(request: Request) -> None:
    """Raises NotUnderstood for what the store could not be asked for."""
    for _, value in request.query_params.multi_items():
        if not value.isprintable():
            raise NotUnderstood


def _page_of(console: Console, error: Exception) -> Response:
    if isinstance(error, NotThere):
        return problem(console, 404, "Not found", str(error))
    if isinstance(error, FormRefused):
        return problem(console, error.http_status, "Not done", error.detail)
    if isinstance(error, BadFilter | BadCursor):
        return problem(console, 400, "Not understood", f"{error}.")
    if isinstance(error, RequestValidationError | NotUnderstood):
        return problem(console, 400, "Not understood", "The address of this page is not valid.")
    if isinstance(error, (*STORE_ERRORS, asyncio.TimeoutError)):
        logger.warning("the store does not answer: %s", type(error).__name__)
        page = problem(console, 503, "The store cannot be reached", _STORE_DOWN)
        page.headers["Retry-After"] = "2"
        return page
    logger.error("unforeseen error", exc_info=error)
    return problem(console, 500, "Internal error", "The log of this server says more.")


def _refused(console: Console, refusal: NotTheOperator) -> Response:
    heading = "Not with your role" if refusal.http_status == 403 else "For the operator only"
    page = problem(
        console, refusal.http_status, heading, f"{refusal.detail[:1].upper()}{refusal.detail[1:]}."
    )
    page.headers.update(refusal.headers)
    return page


_STORE_DOWN = (
    "MongoDB does not answer. Charge points and peers get errors, too, until it does. "
    "`cpo doctor` says what is wrong; this page tries again by itself."
)
