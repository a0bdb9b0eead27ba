"""What is done with the audit log: it is looked through, and nothing else."""

from __future__ import annotations

from pydantic import Field

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit.chain import seal
from domain.audit.entries import About, record
from domain.audit.verification import verify
from domain.operators.actor import Role


class Verifying(Parameters):
    head: str | None = Field(
        None, max_length=64, title="A head of before: all up to it has to be as it was"
    )


_LOG = About("audit log", "audit log")


async def _verify(house: House, given: Verifying) -> JsonObject:
    await seal(house.store)
    found = await verify(house.store.db, given.head)
    facts = {
        "head": found.head,
        "entries": found.entries,
        "first": found.first,
        "last": found.last,
        "unsealed": found.unsealed,
        "problems": found.problems,
    }

    async def write_down(tx: Tx) -> None:
        await record(tx, "audit.verify", _LOG, after=facts)

    await house.store.transact(write_down)
    return {**facts, "outcome": "whole" if found.whole else "not whole"}


VERIFY = Action(
    name="audit.verify",
    title="Verify the log",
    meaning="Works every hash out anew: was something changed, taken out or put in? Its head, to "
    "be written down elsewhere, proves later that all up to it is as it was.",
    done={
        "whole": "The log is whole. Its latest entry holds the head.",
        "not whole": "The audit log is not whole: its latest entry says where.",
    },
    needs=Role.OPERATOR,
    path="/audit/verify",
    parameters=Verifying,
    run=_verify,
    about=lambda given: (_LOG,),
    refusals={},
)
ACTIONS = (VERIFY,)
