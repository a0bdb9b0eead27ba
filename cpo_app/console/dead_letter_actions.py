"""What the operator does with telemetry that was not taken: replay it, or drop it."""

import logging

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.words import segment
from domain.charge_points import dead_letters
from domain.charge_points.dead_letters import NoSuchLetter
from domain.operators.actor import Role

logger = logging.getLogger("cpo.console")

ACTIONS = ("replay", "drop")


def add_dead_letter_actions(router: APIRouter, console: Console) -> None:
    @router.post("/console/charge-points/{cp_id}/dead-letters/{action}")
    async def settle(request: Request, cp_id: str, action: str) -> Response:
        letter_id = (await console.submitted(request, Role.MONEY)).get("letter", "")
        if action not in ACTIONS or not letter_id.startswith(f"{cp_id}/"):
            raise NotThere("There is nothing of that kind to do with a message.")
        try:
            if action == "drop":
                await console.store.transact(lambda tx: dead_letters.remove(tx, letter_id))
                done = "dropped"
            else:
                done = "replayed" if await console.replay(letter_id) is None else "not-replayed"
        except NoSuchLetter:
            raise NotThere("There is no such message (any more).") from None
        logger.info("operator: dead letter %s: %s", letter_id, done)
        url = f"/console/charge-points/{segment(cp_id)}?done={done}"
        return RedirectResponse(url, 303, headers=HEADERS)
