"""What is shown once: a token that has just been made, on a page that no cache keeps.

It travels in a cookie for that page alone, which ends with it: it is in no address and no log.
"""

import base64
import re

import orjson
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.actions.action import AnyAction
from cpo_app.actions.catalog import named
from cpo_app.actions.peer_letter import letter_to
from cpo_app.console.console import Console
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from db_interface.json_data import JsonMapping
from domain.charge_points import enrolments
from domain.operators.actor import current_actor
from domain.peers.peer_document import PEERS
from domain.secrets import SecretUnusable

COOKIE = "cpo_shown_once"
SEALED_COOKIE = "cpo_made"
SHOWN_AT = "/console/made"
SHOWN_WITHIN_S = 300
_TOKEN = re.compile(r"(enrol-)?[0-9a-f]{64}")


def to_be_shown(console: Console, request: Request, page: str, token: str) -> Response:
    """To the page below `page` that shows the token."""
    path = f"{page}/token"
    response = RedirectResponse(path, 303, headers=HEADERS)
    response.set_cookie(
        COOKIE,
        token,
        max_age=SHOWN_WITHIN_S,
        path=path,
        httponly=True,
        samesite="strict",
        secure=console.guard.is_https(request),
    )
    return response


def add_pages_shown_once(router: APIRouter, console: Console) -> None:
    @router.get("/console/peers/{peer_id}/token")
    async def invitation(request: Request, peer_id: str) -> Response:
        peer = await PEERS.of(console.db).find_one({"_id": peer_id})
        if peer is None:
            raise NotThere("There is no peer of that id.")
        token = _token(request)
        issued = {entry["hash"]: entry for entry in peer.get("token_hashes", ())}
        entry = None if token is None else issued.get(console.digest(token))
        if token is None or entry is None:
            return RedirectResponse(f"/console/peers/{segment(peer_id)}", 303, headers=HEADERS)
        named = {"name": peer["name"], "peer_id": peer_id}
        return _once(
            console.page(
                request,
                "invitation.html",
                peer=named,
                token=token,
                until=entry.get("until"),
                versions_url=console.versions_url,
                letter=letter_to(console.house.settings, peer, token),
            ),
            request,
        )

    @router.get("/console/charge-points/{cp_id}/token")
    async def enrolment(request: Request, cp_id: str) -> Response:
        token = _token(request)
        kept = None if token is None else enrolments.hash_of(token)
        if kept is None or not await enrolments.is_known(console.db, kept, console.db.now()):
            page = f"/console/charge-points/{segment(cp_id)}"
            return RedirectResponse(page, 303, headers=HEADERS)
        return _once(console.page(request, "enrolment.html", cp_id=cp_id, token=token), request)

    @router.get(SHOWN_AT)
    async def shown(request: Request) -> Response:
        made = _opened(console, request.cookies.get(SEALED_COOKIE, ""))
        action = None if made is None else named(made["action"])
        if made is None or action is None or made["actor"] != current_actor().name:
            return RedirectResponse("/console/account", 303, headers=HEADERS)
        response = console.page(request, "once.html", action=action, made=made)
        response.delete_cookie(SEALED_COOKIE, path=SHOWN_AT)
        return response


def sealed_to_be_shown(
    console: Console, request: Request, action: AnyAction, result: JsonMapping, secret: str
) -> Response:
    """To the page that shows what the action has made. The cookie is sealed: nobody can put
    there what the page would show as ours."""
    about = result.get("operator") or result.get("name") or ""
    made = {
        "action": action.name,
        "actor": current_actor().name,
        "about": str(about),
        "what": action.shows,
        "secret": secret,
    }
    sealed = console.vault.seal(orjson.dumps(made).decode())
    response = RedirectResponse(SHOWN_AT, 303, headers=HEADERS)
    response.set_cookie(
        SEALED_COOKIE,
        base64.urlsafe_b64encode(sealed).decode().rstrip("="),
        max_age=SHOWN_WITHIN_S,
        path=SHOWN_AT,
        httponly=True,
        samesite="strict",
        secure=console.guard.is_https(request),
    )
    return response


def _opened(console: Console, cookie: str) -> dict[str, str] | None:
    try:
        sealed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), "-_", validate=True)
        made: dict[str, str] = orjson.loads(console.vault.open(sealed))
    except (ValueError, SecretUnusable):
        return None
    return made


def _token(request: Request) -> str | None:
    given = request.cookies.get(COOKIE, "")
    return given if _TOKEN.fullmatch(given) else None


def _once(response: Response, request: Request) -> Response:
    response.delete_cookie(COOKIE, path=request.url.path)
    return response
