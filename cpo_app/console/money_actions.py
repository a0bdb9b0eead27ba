"""What the operator settles on the console: end, release or write off a session."""

import logging
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from db_interface.transaction import Tx
from domain.operators.actor import Role
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_hands import NotByHand, end_by_hand, release, write_off

logger = logging.getLogger("cpo.console")

ACTIONS = ("end", "release", "write-off")
BY = "console"
MAX_KWH = 10_000.0


def add_money_actions(router: APIRouter, console: Console) -> None:
    @router.post("/console/sessions/{session_id}/{action}")
    async def settle(request: Request, session_id: str, action: str) -> Response:
        fields = await console.submitted(request, Role.MONEY)
        if action not in ACTIONS:
            raise NotThere("There is nothing of that kind to do with a session.")
        energy_wh = _energy_wh(fields)

        async def work(tx: Tx) -> ChargingSession:
            rules = console.session_rules
            if action == "end":
                return await end_by_hand(tx, session_id, by=BY, energy_wh=energy_wh, rules=rules)
            do = release if action == "release" else write_off
            return await do(tx, session_id, by=BY, rules=rules)

        try:
            await console.store.transact(work)
        except NotByHand as error:
            raise FormRefused(409, f"Not done: {error}.") from None
        logger.info("operator: session %s: %s", session_id, action)
        return RedirectResponse(f"/console/money?done={action}", 303, headers=HEADERS)


def _energy_wh(fields: Mapping[str, str]) -> float | None:
    text = fields.get("energy", "").strip().replace(",", ".")
    if not text:
        return None
    try:
        kwh = float(text)
    except ValueError:
        kwh = -1.0
    if not 0 <= kwh <= MAX_KWH:
        raise FormRefused(400, f"The energy is a number of kWh from 0 to {MAX_KWH:.0f}.")
    return kwh * 1000
