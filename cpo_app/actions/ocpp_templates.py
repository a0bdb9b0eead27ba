"""Templates of configuration: how stations are to be set up, and that they are."""

from __future__ import annotations

from functools import partial

import orjson
from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters
from cpo_app.actions.house import House
from cpo_app.actions.ocpp_asking import OfStation, about, said_by, station_of
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit.entries import About
from domain.ocpp import configuring, templates
from domain.ocpp.configuring import NotTold
from domain.ocpp.templates import NoSuchTemplate, TemplateRefused
from domain.operators.actor import Role


class OneTemplate(Parameters):
    template: str = Field(..., min_length=1, max_length=50, title="Template")


class Writing(OneTemplate):
    version: str = Field(
        "1.6", title="OCPP (2: 2.0.1 and 2.1)", enum=list(templates.VERSIONS), max_length=5
    )
    vendor: str | None = Field(None, max_length=50, title="Vendor, as it tells it (empty: any)")
    model: str | None = Field(None, max_length=50, title="Model, as it tells it (empty: any)")
    stations: list[str] = Field([], max_items=1000, title="These stations alone (empty: all)")
    values: dict[str, str] = Field(..., title='Values, JSON: {"HeartbeatInterval": "60"}')

    @validator("stations", pre=True)
    def _words(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @validator("values", pre=True)
    def _json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ValueError("is no JSON") from None


def _about(given: OneTemplate) -> tuple[About, ...]:
    return (About("template", given.template),)


async def _put(house: House, given: Writing) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        written = await templates.put(
            tx,
            given.template,
            version=given.version,
            values=given.values,
            vendor=given.vendor,
            model=given.model,
            stations=given.stations,
        )
        return dict(templates.shown(written))

    return await house.store.transact(work)


async def _remove(house: House, given: OneTemplate) -> JsonObject:
    await house.store.transact(lambda tx: templates.remove(tx, given.template))
    return {"template": given.template}


async def _apply(house: House, given: OfStation) -> JsonObject:
    station, _ = await station_of(house, given.cp_id)
    found = await configuring.configure(house.store, station, partial(said_by, house, station))
    outcome = "drifted" if found["drift"] else "as wanted"
    if any(one["status"] not in ("Accepted", "RebootRequired") for one in found["drift"]):
        outcome = "refused"
    return {"cp_id": given.cp_id, **found, "outcome": outcome}


_REFUSALS: dict[type[Exception], int] = {
    NoSuchTemplate: 404,
    TemplateRefused: 422,
    NotTold: 424,
}

PUT = Action(
    name="ocpp.put_template",
    title="Write a template",
    meaning="Stations that it applies to are configured so: at every start, and again where one "
    "is found otherwise. The more particular of several has the last word.",
    done="Written: stations are held against it from now on.",
    needs=Role.OPERATOR,
    path="/ocpp-templates",
    parameters=Writing,
    run=_put,
    about=_about,
    refusals=_REFUSALS,
)
REMOVE = Action(
    name="ocpp.remove_template",
    title="Remove a template",
    meaning="Nothing is held against it any more; stations keep what they were told.",
    done="Removed: stations keep what they were told.",
    needs=Role.OPERATOR,
    path="/ocpp-templates/{template}/remove",
    parameters=OneTemplate,
    run=_remove,
    about=_about,
    refusals=_REFUSALS,
    danger=True,
)
APPLY = Action(
    name="ocpp.apply_templates",
    title="Hold it against its templates",
    meaning="Reads the station's configuration and sets what is not as its templates want it.",
    done={
        "as wanted": "It is as its templates want it.",
        "drifted": "Put right: what was otherwise is shown below.",
        "refused": "Not all of it was taken: what the station said is shown below.",
    },
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/apply-templates",
    parameters=OfStation,
    run=_apply,
    about=about,
    refusals=_REFUSALS,
)
ACTIONS = (PUT, REMOVE, APPLY)
