"""What is done to drivers' cards: forgotten, when their holder asks for it."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from cpo_app.actions.action import Action, Parameters, Refused
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from domain.erasure import about_card, erase_card
from domain.operators.actor import Role


class Erasing(Parameters):
    uid: str = Field(..., min_length=1, max_length=36, title="The card's UID", format="password")


async def _erase(house: House, given: Erasing) -> JsonObject:
    done = await erase_card(house.store, house.vault, given.uid)
    if done.nothing:
        raise Refused(404, "nothing is known of that card")
    return {**asdict(done), "outcome": "bills stay" if done.sessions_kept else "all gone"}


ERASE = Action(
    name="tokens.erase",
    title="Forget a card",
    meaning="Forgets a card holder: his Token, its copies in what is over, and what exchanges "
    "with peers tell of it. Bills stay (sessions and CDRs), as the law has it. His eMSP has "
    "to forget him first, or sends the Token again.",
    done={
        "all gone": "Forgotten.",
        "bills stay": "Forgotten. His sessions and their CDRs stay: they are bills.",
    },
    needs=Role.ADMIN,
    path="/tokens/erase",
    parameters=Erasing,
    run=_erase,
    about=lambda given: (about_card(given.uid),),
    refusals={},
    danger=True,
)
ACTIONS = (ERASE,)
