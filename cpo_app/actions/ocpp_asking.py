"""How an action asks a station: through the questions, as commands do, whoever holds it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from pydantic import Field

from cpo_app.actions.action import Refused
from cpo_app.actions.charge_points import OneChargePoint
from cpo_app.actions.house import House
from db_interface.json_data import JsonMapping, JsonObject
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.charge_points.charge_points import canonical_id
from domain.ocpp import questions, stations
from domain.ocpp.stations import Station

TIMEOUT_S = 20.0
ACCEPTED = "ACCEPTED"


class OfStation(OneChargePoint):
    """A charge point with OCPP; what it is told concerns the whole box, where nothing else is
    said."""


class AtConnector(OfStation):
    connector_id: str | None = Field(None, max_length=36, title="Connector (empty: all of them)")


def about(given: OneChargePoint) -> tuple[About, ...]:
    return (audit.charge_point(given.cp_id),)


async def station_of(house: House, cp_id: str) -> tuple[Station, int]:
    """The station of a charge point, and which of its EVSEs that is. Raises Refused."""
    found = await canonical_id(house.store.db, cp_id)
    if found is None:
        raise Refused(404, f"{cp_id}: no such charge point")
    seat = await stations.of_charge_point(house.store.db, found)
    if seat is None:
        raise Refused(409, f"{found} does not speak OCPP")
    return seat


async def asked(
    house: House,
    cp_id: str,
    op: str,
    fields: JsonMapping,
    *,
    whole: bool = True,
    timeout_s: float = TIMEOUT_S,
) -> JsonObject:
    """The station's answer that it has done it; `whole`: asked of the box, and not of that EVSE.
    Raises Refused, 424 where it would not."""
    station, evse = await station_of(house, cp_id)
    said = await said_by(house, station, op, fields, evse=0 if whole else evse, timeout_s=timeout_s)
    if said.get("result") != ACCEPTED:
        raise Refused(424, f"{cp_id} would not: {said.get('message') or word_of(said)}")
    return said


async def said_by(
    house: House,
    station: Station,
    op: str,
    fields: JsonMapping,
    *,
    evse: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> JsonObject:
    """The station's answer, whatever it says. Raises Refused where none comes."""
    try:
        return await questions.ask(
            house.store,
            station=station["_id"],
            evse=evse,
            op=op,
            fields=fields,
            question_id=str(uuid.uuid4()),
            timeout_s=timeout_s,
        )
    except questions.Unanswered as error:
        if error.sent is False:
            raise Refused(409, f"{station['_id']} was not asked: {error}") from None
        why = "it gave no answer in time, and may have done it all the same"
        raise Refused(424, f"{station['_id']}: {why}") from None


def word_of(said: Mapping[str, object]) -> str:
    """The station's own word, or ours for it."""
    statuses = said.get("statuses")
    if isinstance(statuses, list) and statuses:
        return ", ".join(f"{one['key']}: {one['status']}" for one in statuses)
    return str(said.get("said") or said.get("result"))
