"""Payment terminals at their provider: fetched, assigned to places, activated, ended."""

from __future__ import annotations

from pydantic import Field, validator

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import REFUSALS, about_peer
from cpo_app.actions.peer_parameters import OnePeer
from cpo_app.actions.readings import words
from db_interface.json_data import JsonObject
from domain.operators.actor import Role

MAX_PLACES = 1000


class OneTerminal(OnePeer):
    terminal_id: str = Field(..., min_length=1, max_length=36, title="Terminal")


class _Places(OnePeer):
    location_ids: list[str] = Field([], max_items=MAX_PLACES, title="Locations")
    evse_uids: list[str] = Field([], max_items=MAX_PLACES, title="EVSEs, beside these locations")

    @validator("location_ids", "evse_uids", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class Assigning(_Places, OneTerminal):
    """Neither locations nor EVSEs: the terminal is for none."""


class Activating(_Places):
    reference: str | None = Field(
        None, max_length=36, title="Reference that came with it (a serial number)"
    )
    customer_reference: str | None = Field(
        None, max_length=36, title="Our own reference for it (empty: none)"
    )


async def _pull(house: House, given: OnePeer) -> JsonObject:
    counts = await house.terminals.pull(given.peer_id)
    return {"peer_id": given.peer_id, "counts": dict(counts)}


async def _assign(house: House, given: Assigning) -> JsonObject:
    terminal = await house.terminals.assign(
        given.peer_id, given.terminal_id, given.location_ids, given.evse_uids
    )
    return {"peer_id": given.peer_id, "terminal": dict(terminal)}


async def _activate(house: House, given: Activating) -> JsonObject:
    said = given.dict(exclude={"peer_id"})
    wanted = {name: value for name, value in said.items() if value}
    if not wanted:
        raise Refused(422, "reference, location_ids: say which terminal is meant, or where it is")
    await house.terminals.activate(given.peer_id, wanted)
    return {"peer_id": given.peer_id, "asked": wanted}


async def _deactivate(house: House, given: OneTerminal) -> JsonObject:
    await house.terminals.deactivate(given.peer_id, given.terminal_id)
    return {"peer_id": given.peer_id, "terminal_id": given.terminal_id}


PULL = Action(
    name="terminals.pull",
    title="Fetch its payment terminals",
    meaning="Fetches the terminals of a payment terminal provider, and what it has captured for "
    "sessions.",
    done="Fetched.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/terminals/pull",
    parameters=OnePeer,
    run=_pull,
    about=about_peer,
    refusals=REFUSALS,
)
ASSIGN = Action(
    name="terminals.assign",
    title="Assign a payment terminal",
    meaning="Tells its provider which locations and EVSEs one can pay for at the terminal: these, "
    "and no others.",
    done="Its provider has it so now.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/terminals/{terminal_id}/assign",
    parameters=Assigning,
    run=_assign,
    about=about_peer,
    refusals=REFUSALS,
)
ACTIVATE = Action(
    name="terminals.activate",
    title="Activate a payment terminal",
    meaning="Asks its provider for a terminal that stands at a charge point; it comes back from "
    "there with its id.",
    done="Asked: the provider tells us of the terminal once it is there.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/terminals/activate",
    parameters=Activating,
    run=_activate,
    about=about_peer,
    refusals=REFUSALS,
)
DEACTIVATE = Action(
    name="terminals.deactivate",
    title="Deactivate a payment terminal",
    meaning="Tells its provider that the terminal is broken, or has gone: nobody can pay at it any "
    "more.",
    done="Its provider knows.",
    needs=Role.OPERATOR,
    path="/peers/{peer_id}/terminals/{terminal_id}/deactivate",
    parameters=OneTerminal,
    run=_deactivate,
    about=about_peer,
    refusals=REFUSALS,
    danger=True,
)
ACTIONS = (PULL, ASSIGN, ACTIVATE, DEACTIVATE)
