"""The event stream: what it is told once more, and that it ends."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, root_validator, validator

from cpo_app.actions.action import Action, NoParameters, Parameters
from cpo_app.actions.house import House
from cpo_app.actions.readings import words
from db_interface.json_data import JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.events import switches
from domain.events.kinds import KINDS
from domain.operators.actor import Role
from domain.schemas import parse_datetime

_REFUSALS: dict[type[Exception], int] = {switches.NoStream: 409}


class Telling(Parameters):
    since: datetime | None = Field(None, title="What changed since (2025-05-01T12:00:00Z)")
    everything: bool = Field(False, title="Or all that is there")
    kinds: list[str] = Field(
        [], title="Of these kinds alone", description="empty: of all", enum=list(KINDS)
    )

    @validator("since", pre=True)
    def _moment(cls, value: object) -> object:
        return parse_datetime(value) if isinstance(value, str) and value else value or None

    @validator("kinds", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)

    @validator("kinds", each_item=True)
    def _kind(cls, value: str) -> str:
        if value not in KINDS:
            raise ValueError(f"{value!r} is none of {', '.join(KINDS)}")
        return value

    @root_validator(skip_on_failure=True)
    def _one_of_both(cls, values: JsonObject) -> JsonObject:
        if (values.get("since") is None) == (not values.get("everything")):
            raise ValueError("say since when, or that everything is meant: one of both")
        return values


def _about(_: Parameters) -> tuple[About, ...]:
    return (audit.setting("CPO_KAFKA_BROKERS"),)


async def _resync(house: House, given: Telling) -> JsonObject:
    kinds = given.kinds or list(KINDS)
    return {"marked": dict(await switches.resync(house.store, given.since, kinds))}


async def _off(house: House, _: NoParameters) -> JsonObject:
    return {"dropped": await switches.end(house.store)}


RESYNC = Action(
    name="events.resync",
    title="Tell it once more",
    meaning="What has changed since then, or all that is there, goes to Kafka once more, as it is "
    "now; consumers know it by its ids.",
    done="It is marked, and goes to Kafka.",
    needs=Role.OPERATOR,
    path="/events/resync",
    parameters=Telling,
    run=_resync,
    about=_about,
    refusals=_REFUSALS,
)
OFF = Action(
    name="events.off",
    title="End the stream",
    meaning="Nothing is kept for Kafka any more, and what waits is dropped. A server that has "
    "CPO_KAFKA_BROKERS begins anew when it starts.",
    done="Nothing is kept for Kafka any more.",
    needs=Role.ADMIN,
    path="/events/off",
    parameters=NoParameters,
    run=_off,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
ACTIONS = (RESYNC, OFF)
