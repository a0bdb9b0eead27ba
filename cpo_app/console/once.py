"""What is shown once: a token that has just been made, on a page that no cache keeps.

It travels in a cookie for that page alone, which ends with it: it is in no address and no log.
"""

import re

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from domain.charge_points import enrolments
from domain.peers.peer_document import PEERS

COOKIE = "cpo_shown_once"
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
        issued = [entry["hash"] for entry in peer.get("token_hashes", ())]
        if token is None or console.digest(token) not in issued:
            return RedirectResponse(f"/console/peers/{segment(peer_id)}", 303, headers=HEADERS)
        named = {"name": peer["name"], "peer_id": peer_id}
        return _once(
            console.page(
                request,
                "invitation.html",
                peer=named,
                token=token,
                versions_url=console.versions_url,
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


def _token(request: Request) -> str | None:
    given = request.cookies.get(COOKIE, "")
    return given if _TOKEN.fullmatch(given) else None


def _once(response: Response, request: Request) -> Response:
    response.delete_cookie(COOKIE, path=request.url.path)
    return response
