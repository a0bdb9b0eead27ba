"""What the operator decides of a peer beside the switches: a hub's clients, unknown cards, what
the peer insists on. Each a form of the peer's page, then a redirect back to it; each is logged.
"""

import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused, words_of
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from domain.objects.location_fields import FIELDS
from domain.operators.actor import Role
from domain.peers import client_switches, location_groups, switches
from domain.peers.peers import UnknownPeer
from domain.peers.required_modules import require_modules
from domain.peers.requirements import require
from domain.peers.switches import NotPossible

logger = logging.getLogger("cpo.console")


def add_peer_forms(router: APIRouter, console: Console) -> None:
    """To be added before the switches, whose address takes any word."""
    store = console.store

    async def done(peer_id: str, word: str, work: Coroutine[object, object, Any]) -> Response:
        try:
            ended = await console.meanwhile(work, f"{word} {peer_id}")
        except UnknownPeer:
            raise NotThere("There is no peer of that id.") from None
        except NotPossible as error:
            raise FormRefused(409, f"Not done: {error}.") from None
        logger.info("operator: peer %s: %s", peer_id, word)
        said = word if ended else "under-way"
        return RedirectResponse(
            f"/console/peers/{segment(peer_id)}?done={said}", 303, headers=HEADERS
        )

    @router.post("/console/peers/{peer_id}/client")
    async def client(request: Request, peer_id: str) -> Response:
        fields = await console.submitted(request, Role.OPERATOR)
        party = _party(fields.get("party", ""))
        decision = _decision(fields)
        decide = client_switches.approve if decision == "approve" else client_switches.refuse
        return await done(peer_id, f"client-{decision}", decide(store, peer_id, [party]))

    @router.post("/console/peers/{peer_id}/clients")
    async def clients(request: Request, peer_id: str) -> Response:
        fields = await console.submitted(request, Role.OPERATOR)
        decision = _decision({"decision": fields.get("all", "")})
        work = client_switches.decide_all(store, peer_id, approved=decision == "approve")
        return await done(peer_id, f"clients-{decision}", work)

    @router.post("/console/peers/{peer_id}/clients-automatic")
    async def automatic(request: Request, peer_id: str) -> Response:
        on = _on(await console.submitted(request, Role.OPERATOR))
        work = client_switches.approve_as_told(store, peer_id, on=on)
        return await done(peer_id, f"clients-automatic-{'on' if on else 'off'}", work)

    @router.post("/console/peers/{peer_id}/ask-unknown")
    async def ask_unknown(request: Request, peer_id: str) -> Response:
        on = _on(await console.submitted(request, Role.OPERATOR))
        work = switches.ask_unknown(store, peer_id, on=on)
        return await done(peer_id, f"ask-unknown-{'on' if on else 'off'}", work)

    @router.post("/console/peers/{peer_id}/require")
    async def requires(request: Request, peer_id: str) -> Response:
        ticked = await console.submitted(request, Role.OPERATOR)
        wanted = [name for name in FIELDS if ticked.get(name) == "on"]
        return await done(peer_id, "require", require(store, peer_id, wanted))

    @router.post("/console/peers/{peer_id}/groups")
    async def groups(request: Request, peer_id: str) -> Response:
        words = words_of((await console.submitted(request, Role.OPERATOR)).get("groups", ""))
        return await done(peer_id, "groups", location_groups.give(store, peer_id, words or None))

    @router.post("/console/objects/locations/groups")
    async def groups_of_location(request: Request) -> Response:
        fields = await console.submitted(request, Role.OPERATOR)
        key, words = fields.get("key", ""), words_of(fields.get("groups", ""))
        try:
            await location_groups.put_into(store, key, words)
        except KeyError:
            raise NotThere("There is no such location.") from None
        except NotPossible as error:
            raise FormRefused(409, f"Not done: {error}.") from None
        logger.info("operator: location %s: groups %s", key, " ".join(words) or "none")
        return RedirectResponse(f"/console/objects/locations?key={segment(key)}", 303, HEADERS)

    @router.post("/console/peers/{peer_id}/require-modules")
    async def modules(request: Request, peer_id: str) -> Response:
        words = words_of((await console.submitted(request, Role.OPERATOR)).get("modules", ""))
        return await done(peer_id, "require-modules", require_modules(store, peer_id, words))


def _decision(fields: Mapping[str, str]) -> str:
    decision = fields.get("decision", "")
    if decision not in ("approve", "refuse"):
        raise FormRefused(400, "decision is approve or refuse.")
    return decision


def _on(fields: Mapping[str, str]) -> bool:
    if fields.get("on") not in ("true", "false"):
        raise FormRefused(400, "on is true or false.")
    return fields["on"] == "true"


def _party(text: str) -> tuple[str, str]:
    country_code, _, party_id = text.partition("/")
    if len(country_code) != 2 or len(party_id) != 3 or not (country_code + party_id).isalnum():
        raise FormRefused(400, "A party is written CC/PID, as in FR/CLI.")
    return country_code, party_id
