"""Notices: whoever is told of trouble is told once that this is a test."""

from __future__ import annotations

from cpo_app.actions.action import OUTCOME, Action, NoParameters, Refused
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.operators.actor import Role

NO_TARGETS = "nobody is told of trouble: set CPO_WEBHOOKS, or CPO_SMTP_URL with CPO_MAIL_TO"


def _about(_: NoParameters) -> tuple[About, ...]:
    return (audit.setting("CPO_WEBHOOKS"), audit.setting("CPO_SMTP_URL"))


async def _test(house: House, _: NoParameters) -> JsonObject:
    found = await house.tell_test()
    if not found:
        raise Refused(409, NO_TARGETS)
    taken = all(why is None for _, why in found)
    return {
        OUTCOME: "taken" if taken else "not_taken",
        "targets": [{"target": id_, "taken": why is None, "why": why} for id_, why in found],
    }


TEST = Action(
    name="notices.test",
    title="Send a test",
    meaning="Every webhook and mail address that is told of trouble is told that this is a test.",
    done={"taken": "Everybody has taken it.", "not_taken": "Not everybody has taken it."},
    needs=Role.OPERATOR,
    path="/notices/test",
    parameters=NoParameters,
    run=_test,
    about=_about,
    refusals={},
)
ACTIONS = (TEST,)
