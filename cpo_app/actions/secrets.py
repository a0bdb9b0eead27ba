"""What is done to the keys under which secrets are kept."""

from __future__ import annotations

from cpo_app.actions.action import Action, NoParameters
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About, record
from domain.key_rotation import rotate
from domain.operators.actor import Role


def _about(_: NoParameters) -> tuple[About, ...]:
    return (audit.setting("CPO_ENCRYPTION_KEYS"),)


async def _rotate(house: House, given: NoParameters) -> JsonObject:
    done = await rotate(house.store.db, house.vault)
    facts = done.facts()

    async def write_down(tx: Tx) -> None:
        await record(tx, "secrets.rotate", *_about(given), after=facts)

    await house.store.transact(write_down)
    if done.older_may_go:
        return {**facts, "outcome": "older may go" if done.older else "one key"}
    return {**facts, "outcome": "unopened" if done.unopened else "waiting"}


ROTATE = Action(
    name="secrets.rotate",
    title="Rotate the keys",
    meaning="Brings what is stored under the newest of CPO_ENCRYPTION_KEYS, and says whether the "
    "older ones may go. May be broken off and repeated. First restart the servers with the new "
    "key.",
    done={
        "older may go": "The older keys may go: take them out of the settings, and restart the "
        "servers.",
        "one key": "There is one key, and nothing is under another.",
        "waiting": "Renewed. The older keys have to stay until those named have shown their token "
        "or credentials.",
        "unopened": "Not all could be opened: they are sealed with a key that was not given; give "
        "it, too, and do this again.",
    },
    needs=Role.ADMIN,
    path="/secrets/rotate",
    parameters=NoParameters,
    run=_rotate,
    about=_about,
    refusals={},
)
ACTIONS = (ROTATE,)
