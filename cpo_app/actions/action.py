"""An action: declared once, offered at every door, and carried out by `perform` alone.

`perform` looks whether whoever acts may do it, does it, and sees to its entry in the audit log:
most often a line of the domain's own, in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, Extra

from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from domain.audit.entries import About, act, record, record_refusal
from domain.operators.actor import Role, current_actor

OUTCOME = "outcome"
"""In a result: which of the action's words say what became of it."""


class Parameters(BaseModel):
    """What an action is told; each field's `title` is its label, `description` its help."""

    class Config:
        extra = Extra.forbid
        anystr_strip_whitespace = True
        max_anystr_length = 200_000


class NoParameters(Parameters):
    """It is told nothing."""


P = TypeVar("P", bound=Parameters)


class Refused(Exception):
    """It is not done; `str(error)` says why in one line. `http_status`: 403 (not his to do), 404
    (what it is about is not there), 409, 422, 424 (a peer would not)."""

    def __init__(self, http_status: int, why: str) -> None:
        super().__init__(why)
        self.http_status = http_status


@dataclass(frozen=True)
class Action(Generic[P]):
    """`name`: "peers.suspend". `title`: what stands on the button. `meaning`: what it does, for
    whoever is about to do it. `done`: what is said afterwards; by the result's outcome where there
    are several. `path`: below /api/v1 and below /console; fields of the parameters in braces.
    """

    name: str
    title: str
    meaning: str
    done: str | Mapping[str, str]
    needs: Role
    path: str
    parameters: type[P]
    run: Callable[[House, P], Awaitable[JsonObject]]
    about: Callable[[P], tuple[About, ...]]
    refusals: Mapping[type[Exception], int]
    """What `run` raises where it cannot be done, and the status that says so."""
    danger: bool = False
    """It takes something away that does not come back by itself."""
    shows: str | None = None
    """What of its result is a secret, shown this once."""

    def said(self, outcome: object = None) -> str:
        """What is said once it is done."""
        if isinstance(self.done, str):
            return self.done
        return self.done.get(str(outcome)) or next(iter(self.done.values()))


AnyAction = Action[Parameters]


async def perform(house: House, action: Action[P], parameters: P) -> JsonObject:
    """Do it as whoever acts at present. Raises Refused, which is written down, too."""
    about = action.about(parameters)
    await check_role(house, action, about)
    with act(action.name) as doing:
        try:
            result = await action.run(house, parameters)
        except Refused as error:
            await _refuse(house, action.name, about, str(error))
            raise
        except tuple(action.refusals) as error:
            why = str(error)
            await _refuse(house, action.name, about, why)
            raise Refused(_status(action.refusals, error), why) from error
        if not doing.recorded:
            await house.store.transact(lambda tx: record(tx, action.name, *about))
    return result


_IN_PATHS = {
    "peer_id": "peer",
    "cp_id": "charge point",
    "session_id": "session",
    "cdr_id": "CDR",
    "tariff_id": "tariff",
    "location_id": "location",
    "operator": "operator",
    "key": "API key",
}


def named_by_path(of_path: Mapping[str, str]) -> tuple[About, ...]:
    """What an action is about as far as its path says so: before anything else is read."""
    return tuple(About(_IN_PATHS[name], id_) for name, id_ in of_path.items() if name in _IN_PATHS)


async def check_role(house: House, action: Action[P], about: tuple[About, ...] = ()) -> None:
    """Return if whoever acts at present may do it; else raises Refused, which is written down."""
    actor = current_actor()
    if actor.may(action.needs):
        return
    has = "no role" if actor.role is None else f"the role {actor.role.value}"
    why = f"{action.title}: needs the role {action.needs.value}, {actor.name} has {has}"
    await _refuse(house, action.name, about, why)
    raise Refused(403, why)


async def _refuse(house: House, name: str, about: tuple[About, ...], why: str) -> None:
    await house.store.transact(lambda tx: record_refusal(tx, name, *about, why=why))


def _status(refusals: Mapping[type[Exception], int], error: Exception) -> int:
    return next(status for kind, status in refusals.items() if isinstance(error, kind))
