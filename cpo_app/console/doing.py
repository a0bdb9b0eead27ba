"""The actions (cpo_app/actions) behind the console's forms: each a POST of our own page, then a
redirect, so that a page that is reloaded does nothing twice.

What an action makes that is shown once (a token) goes from the answer to the page that shows it
in a cookie for that page alone, which ends with it: once.py.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from cpo_app.actions.action import (
    AnyAction,
    Parameters,
    Refused,
    check_role,
    named_by_path,
    perform,
)
from cpo_app.actions.catalog import all_actions, named
from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused
from cpo_app.console.once import sealed_to_be_shown, to_be_shown
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from cpo_app.http_errors import problems_of
from db_interface.json_data import JsonMapping, JsonObject
from domain.operators.actor import current_actor

logger = logging.getLogger("cpo.console")

UNDER_WAY = "under-way"
Done = Annotated[str | None, Query(max_length=64)]
"""Which action has just been done: its name, and what came of it."""
_LISTS = {
    "sessions": "/console/money",
    "cdrs": "/console/cdrs",
    "tariffs": "/console/tariffs",
    "locations": "/console/locations",
    "peers": "/console/peers",
    "terminals": "/console/peers",
    "charge_points": "/console/charge-points",
    "commands": "/console/charge-points",
    "ocpp": "/console/charge-points",
    "notices": "/console/notices",
    "events": "/console/kafka",
    "operators": "/console/operators",
    "keys": "/console/operators",
    "secrets": "/console/platform",
    "tokens": "/console/tokens",
    "audit": "/audit",
}
_GONE = ("peers.withdraw", "peers.remove")
"""What it was about has no page afterwards."""


def add_actions(router: APIRouter, console: Console) -> None:
    for action in all_actions():
        router.add_api_route(
            f"/console{action.path}", _endpoint(console, action), methods=["POST"], name=action.name
        )


def said(done: str | None) -> str | None:
    """What a page says of the action that the word in its address names; never text out of it."""
    if not done:
        return None
    if done == UNDER_WAY:
        return "Under way: it goes on by itself, and the audit log says what came of it."
    name, _, outcome = done.partition(":")
    action = named(name)
    return None if action is None else action.said(outcome)


def page_after(action: AnyAction, given: JsonMapping, result: JsonMapping | None) -> str:
    """The path of the page that shows what came of it."""
    group = action.name.partition(".")[0]
    known = {**given, **(result or {})}
    if "template" in given:
        return "/console/stations"
    if group in ("charge_points", "commands", "ocpp"):
        cp_id = known.get("cp_id") or str(known.get("letter_id", "")).partition("/")[0]
        return f"{_LISTS[group]}/{segment(str(cp_id))}"
    if "key" in known and "location_id" in known:
        return f"/console/objects/locations?key={segment(str(known['key']))}"
    if group in ("peers", "terminals") and known.get("peer_id") and action.name not in _GONE:
        return f"{_LISTS[group]}/{segment(str(known['peer_id']))}"
    return _LISTS[group]


def page_of_thing(given: JsonMapping) -> str | None:
    """The page of the session or CDR that it was about."""
    for name, pages in (("cdr_id", "/console/cdrs"), ("session_id", "/console/sessions")):
        if given.get(name):
            return f"{pages}/{segment(str(given[name]))}"
    return None


def _back(request: Request, given: JsonMapping) -> str | None:
    """The page of the thing itself, for whoever has come from there."""
    own = page_of_thing(given)
    return own if urlsplit(request.headers.get("referer", "")).path == own else None


def _endpoint(console: Console, action: AnyAction) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            await check_role(console.house, action, named_by_path(request.path_params))
        except Refused as error:
            raise FormRefused(error.http_status, f"Not done: {error}.") from None
        given = _given(await console.submitted(request), request.path_params)
        try:
            result = await _do(console, action, _parameters(action, given))
        except Refused as error:
            if error.http_status == 404:
                raise NotThere(f"Not done: {error}.") from None
            refusal = FormRefused(error.http_status, f"Not done: {error}.")
            return _again(console, request, action, given, refusal)
        except FormRefused as refusal:
            return _again(console, request, action, given, refusal)
        page = _back(request, given) or page_after(action, given, result)
        if result is not None and action.shows is not None and action.shows in result:
            return _shown_once(console, request, action, page, result)
        outcome = "" if result is None or "outcome" not in result else f":{result['outcome']}"
        done = UNDER_WAY if result is None else f"{action.name}{outcome}"
        link = "&" if "?" in page else "?"
        return RedirectResponse(f"{page}{link}done={segment(done)}", 303, headers=HEADERS)

    return endpoint


def _again(
    console: Console,
    request: Request,
    action: AnyAction,
    given: JsonMapping,
    refusal: FormRefused,
) -> Response:
    """What was wrong, and the form as it was filled in, so that nobody types it all anew; secrets
    alone are not sent back."""
    names = [field.alias for field in action.parameters.__fields__.values()]
    typed = {name: given.get(name, "") for name in names if name not in request.path_params}
    return console.page(
        request,
        "refused.html",
        status=refusal.http_status,
        text=refusal.detail,
        action=action.name,
        fixed=request.path_params,
        typed=typed,
        back=page_of_thing(given) or page_after(action, given, None),
    )


def _shown_once(
    console: Console, request: Request, action: AnyAction, page: str, result: JsonMapping
) -> Response:
    secret = str(result[action.shows or ""])
    if action.shows == "token":  # of a peer or charge point: it says itself whether it is theirs
        return to_be_shown(console, request, page, secret)
    return sealed_to_be_shown(console, request, action, result, secret)


def _given(fields: Mapping[str, str], of_path: Mapping[str, str]) -> JsonObject:
    """What the form says: an empty field says nothing."""
    return {**{name: text for name, text in fields.items() if text.strip()}, **of_path}


def _parameters(action: AnyAction, given: JsonMapping) -> Parameters:
    try:
        return action.parameters.parse_obj(given)
    except ValidationError as error:
        raise FormRefused(400, f"{problems_of(error.errors())}.") from None


async def _do(console: Console, action: AnyAction, parameters: Parameters) -> JsonObject | None:
    """What came of it, or None: it takes long, and goes on behind the answer."""
    actor = current_actor().name
    work = perform(console.house, action, parameters)
    result = await console.meanwhile(work, f"{actor}: {action.name}")
    about = " ".join(one.id for one in action.about(parameters))
    logger.info("operator %s: %s %s", actor, action.name, about)
    return result
