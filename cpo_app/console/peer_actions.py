"""What the operator does about who a peer is: invitations, and parties released and moved.

Each is logged, and ends in a redirect: a page that is reloaded does nothing twice. A token A goes
from the answer that makes it to the page that shows it in a cookie for that page alone, which
ends with it; it is in no address, no log and no cache.
"""

import logging
import re

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused, words_of
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from domain.operators.actor import Role
from domain.peers import claims, parties, required_modules, switches
from domain.peers.peer_document import PEERS
from domain.peers.peers import UnknownPeer
from domain.peers.required_modules import modules_of_words
from domain.peers.switches import NotPossible
from domain.peers.terms import BadTerms, party_in, terms_of_words

logger = logging.getLogger("cpo.console")

MAX_NAME_LENGTH = 100
TOKEN_COOKIE = "cpo_invitation"
SHOWN_WITHIN_S = 300
_TOKEN = re.compile(r"[0-9a-f]{64}")


def add_peer_actions(router: APIRouter, console: Console) -> None:
    @router.post("/console/peers")
    async def invite(request: Request) -> Response:
        fields = await console.submitted(request, Role.OPERATOR)
        name = " ".join(fields.get("name", "").split())
        if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise FormRefused(400, f"A peer's name has 1 to {MAX_NAME_LENGTH} readable characters.")
        try:
            terms = terms_of_words(
                words_of(fields.get("parties", "")),
                words_of(fields.get("roles", "")),
                hub="hub" in fields,
                any_party="any_party" in fields,
            )
            modules = modules_of_words(words_of(fields.get("modules", "")))
        except (BadTerms, NotPossible) as error:
            raise FormRefused(400, f"{error}.") from None
        peer, token = await console.invite(
            name, console.clock(), terms, settings={required_modules.SETTING: modules}
        )
        logger.info("operator: invited %s", peer.peer_id)
        path = f"/console/peers/{segment(peer.peer_id)}/invitation"
        response = _to(path)
        response.set_cookie(
            TOKEN_COOKIE,
            token,
            max_age=SHOWN_WITHIN_S,
            path=path,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    @router.get("/console/peers/{peer_id}/invitation")
    async def invitation(request: Request, peer_id: str) -> Response:
        token = request.cookies.get(TOKEN_COOKIE, "")
        peer = await PEERS.of(console.db).find_one({"_id": peer_id})
        if peer is None:
            raise NotThere("There is no peer of that id.")
        issued = [entry["hash"] for entry in peer.get("token_hashes", ())]
        if not _TOKEN.fullmatch(token) or console.digest(token) not in issued:
            return _to(f"/console/peers/{segment(peer_id)}")
        response = console.page(
            request,
            "invitation.html",
            peer={"name": peer["name"], "peer_id": peer_id},
            token=token,
            versions_url=console.versions_url,
        )
        response.delete_cookie(TOKEN_COOKIE, path=request.url.path)
        return response

    @router.post("/console/peers/{peer_id}/withdraw")
    async def withdraw(request: Request, peer_id: str) -> Response:
        await console.submitted(request, Role.OPERATOR)
        try:
            await switches.withdraw(console.store, peer_id)
        except UnknownPeer:
            raise NotThere("There is no peer of that id.") from None
        except NotPossible:
            return _to(f"/console/peers/{segment(peer_id)}?done=changed")
        logger.info("operator: peer %s: invitation withdrawn", peer_id)
        return _to("/console/peers")

    @router.post("/console/peers/{peer_id}/release-party")
    async def release_party(request: Request, peer_id: str) -> Response:
        party = _party(await console.submitted(request, Role.ADMIN))
        claim = await claims.of(console.db, party)
        page = f"/console/peers/{segment(peer_id)}"
        if claim is None or claim["peer_id"] != peer_id:
            return _to(f"{page}?done=changed")
        await parties.release(console.store, party)
        logger.info("operator: peer %s: %s is released", peer_id, claims.shown(party))
        return _to(f"{page}?done=release-party")

    @router.post("/console/peers/{peer_id}/move-party")
    async def move_party(request: Request, peer_id: str) -> Response:
        party = _party(await console.submitted(request, Role.ADMIN))
        try:
            await parties.move(console.store, party, peer_id)
        except UnknownPeer:
            raise NotThere("There is no peer of that id.") from None
        logger.info("operator: peer %s: %s is moved to it", peer_id, claims.shown(party))
        return _to(f"/console/peers/{segment(peer_id)}?done=move-party")


def _party(fields: dict[str, str]) -> str:
    try:
        return party_in(fields.get("party", "").strip())
    except BadTerms as error:
        raise FormRefused(400, f"{error}.") from None


def _to(url: str) -> RedirectResponse:
    return RedirectResponse(url, 303, headers=HEADERS)
