"""What the operator does on the console: each a form of our own page (forms.py), then a redirect.

Each is logged. Who a peer is: peer_actions.py.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from db_interface.transaction import Tx
from domain.charge_points import operator_words
from domain.charge_points.registration_records import NotRegistered, Record
from domain.operator import charge_points
from domain.operators.actor import Role
from domain.peers.peers import UnknownPeer
from domain.peers.switches import SWITCHES, NotPossible
from domain.sites import Party

logger = logging.getLogger("cpo.console")

WORDS: Mapping[str, Callable[[Tx, str, Party], Awaitable[Record]]] = {
    "restore": operator_words.restore,
    "let-in": operator_words.let_into_site,
}
"""What the operator says of a registration."""


def add_actions(router: APIRouter, console: Console) -> None:
    @router.post("/console/charge-points/{cp_id}/operative")
    async def set_operative(request: Request, cp_id: str) -> Response:
        fields = await console.submitted(request, Role.OPERATOR)
        wanted = fields.get("operative")
        if wanted not in ("true", "false"):
            raise FormRefused(400, "operative is true or false.")
        found = await charge_points.one(console.db, cp_id)
        if found is None:
            raise NotThere("There is no charge point of that id.")
        await console.set_operative(found["id"], wanted == "true")
        done = "in-service" if wanted == "true" else "out-of-service"
        logger.info("operator: CP %s: %s", found["id"], done)
        return _back(f"/console/charge-points/{segment(found['id'])}?done={done}")

    @router.post("/console/charge-points/{cp_id}/{word}")
    async def say(request: Request, cp_id: str, word: str) -> Response:
        await console.submitted(request, Role.OPERATOR)
        speak = WORDS.get(word)
        if speak is None:
            raise NotThere("There is nothing of that kind to do with a charge point.")

        async def work(tx: Tx) -> Record:
            return await speak(tx, cp_id, console.party)

        try:
            record = await console.store.transact(work)
        except NotRegistered:
            raise NotThere("There is no charge point of that id.") from None
        logger.info("operator: CP %s: %s", record["_id"], word)
        return _back(f"/console/charge-points/{segment(record['_id'])}?done={word}")

    @router.post("/console/peers/{peer_id}/{action}")
    async def act(request: Request, peer_id: str, action: str) -> Response:
        # Who somebody is on this platform is an admin's word.
        await console.submitted(request, Role.ADMIN if action == "approve" else Role.OPERATOR)
        switch = SWITCHES.get(action)
        if switch is None:
            raise NotThere("There is nothing of that kind to do with a peer.")
        try:
            ended = await console.meanwhile(
                switch.do(console.store, peer_id), f"{action} {peer_id}"
            )
        except UnknownPeer:
            raise NotThere("There is no peer of that id.") from None
        except NotPossible:
            done = "changed"
        else:
            done = action if ended else "under-way"
        logger.info("operator: peer %s: %s", peer_id, done)
        return _back(f"/console/peers/{segment(peer_id)}?done={done}")


def _back(url: str) -> Response:
    """To the page again: reloading it must not do the thing twice."""
    return RedirectResponse(url, 303, headers=HEADERS)
