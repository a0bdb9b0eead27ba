"""What is settled by hand of charging sessions: end, release, write off."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.operators.actor import Role, current_actor
from domain.schemas import parse_datetime
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_hands import (
    NoSession,
    NotByHand,
    end_by_hand,
    release,
    write_off,
)

MAX_KWH = 10_000.0
_REFUSALS: dict[type[Exception], int] = {NoSession: 404, NotByHand: 409}
_SHOWN = ("_id", "status", "energy_wh", "started", "ended", "held", "cdr_problem", "by_hand")


class OneSession(Parameters):
    session_id: str = Field(..., min_length=1, max_length=64, title="Session")


class Ending(OneSession):
    energy_kwh: float | None = Field(
        None, ge=0, le=MAX_KWH, title="Energy in kWh (empty: what was measured)"
    )
    at: datetime | None = Field(
        None, title="End (2025-05-01T12:00:00Z; empty: its latest meter value)"
    )

    @validator("energy_kwh", pre=True)
    def _decimal_comma(cls, value: object) -> object:
        return value.replace(",", ".") if isinstance(value, str) else value

    @validator("at", pre=True)
    def _time(cls, value: object) -> object:
        return parse_datetime(value) if isinstance(value, str) else value


def _about(parameters: OneSession) -> tuple[About, ...]:
    return (audit.session(parameters.session_id),)


async def _end(house: House, given: Ending) -> JsonObject:
    rules, by = house.settings.session_rules, current_actor().name
    energy_wh = None if given.energy_kwh is None else given.energy_kwh * 1000
    return shown(
        await house.store.transact(
            lambda tx: end_by_hand(
                tx, given.session_id, by=by, energy_wh=energy_wh, at=given.at, rules=rules
            )
        )
    )


async def _release(house: House, given: OneSession) -> JsonObject:
    rules, by = house.settings.session_rules, current_actor().name
    return shown(
        await house.store.transact(lambda tx: release(tx, given.session_id, by=by, rules=rules))
    )


async def _write_off(house: House, given: OneSession) -> JsonObject:
    rules, by = house.settings.session_rules, current_actor().name
    return shown(
        await house.store.transact(lambda tx: write_off(tx, given.session_id, by=by, rules=rules))
    )


def shown(session: ChargingSession) -> JsonObject:
    """What became of it, in short."""
    known = dict(session)
    return {name: known[name] for name in _SHOWN if known.get(name) is not None}


END = Action(
    name="sessions.end",
    title="End",
    meaning="It is over, and is billed with this energy. A held session is billed with it, too.",
    done="Ended by hand, and billed if there is energy.",
    needs=Role.MONEY,
    path="/sessions/{session_id}/end",
    parameters=Ending,
    run=_end,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
RELEASE = Action(
    name="sessions.release",
    title="Release",
    meaning="A held session, or an estimate, is right as it is, and is billed.",
    done="Released: it is billed as it is.",
    needs=Role.MONEY,
    path="/sessions/{session_id}/release",
    parameters=OneSession,
    run=_release,
    about=_about,
    refusals=_REFUSALS,
)
WRITE_OFF = Action(
    name="sessions.write_off",
    title="Write off",
    meaning="Nobody is billed for a held session, or for energy that came to light beside a bill.",
    done="Written off: nobody is billed.",
    needs=Role.MONEY,
    path="/sessions/{session_id}/write-off",
    parameters=OneSession,
    run=_write_off,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
ACTIONS = (END, RELEASE, WRITE_OFF)
