"""The present states of marked objects, as events: read after the marks, so none is older."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from db_interface.interface import DbInterface
from db_interface.owned_objects import NOBODY, OwnedDocument
from domain.charge_points.charge_point_documents import CHARGE_POINTS, ChargePoint
from domain.charge_points.told_state import told_at, told_state
from domain.commands.command_queue import COMMANDS, Command
from domain.commands.told_command import state_since, told_command
from domain.events import kinds
from domain.events.event import Event
from domain.events.marks import EventMark
from domain.times import format_datetime
from domain.versions import INNER_VERSION
from domain.views.making import view_of

SCHEMAS: Mapping[str, str] = {
    kinds.LOCATIONS: "urn:ocpi:2.2.1:location",
    kinds.TARIFFS: "urn:ocpi:2.2.1:tariff",
    kinds.SESSIONS: "urn:ocpi:2.2.1:session",
    kinds.CDRS: "urn:ocpi:2.2.1:cdr",
    kinds.CHARGE_POINTS: "urn:ocpi-cpo:charge-point:1",
    kinds.COMMANDS: "urn:ocpi-cpo:command:1",
}
"""What `data` of an event is. Of our own two the number goes up where a consumer has to change."""
GONE_SCHEMA = "urn:ocpi-cpo:removed:1"
_FIELDS = {
    **view_of(INNER_VERSION).shown(),
    "audience": 1,
    "last_updated": 1,
    "fields.country_code": 1,
    "fields.party_id": 1,
    "fields.id": 1,
}


async def events_of(
    store: DbInterface, marks: Sequence[EventMark]
) -> list[tuple[EventMark, Event | None]]:
    """Each mark with what is to be told; None: there is nothing any more."""
    keys: dict[str, list[str]] = {}
    for mark in marks:
        keys.setdefault(mark["kind"], []).append(mark["key"])
    found: dict[tuple[str, str], Event] = {}
    for kind, wanted in keys.items():
        for event in await _read(store, kind, wanted):
            found[kind, event.key] = event
    return [(mark, found.get((mark["kind"], mark["key"])) or _gone(mark)) for mark in marks]


async def _read(store: DbInterface, kind: str, keys: Sequence[str]) -> list[Event]:
    query = {"_id": {"$in": list(keys)}}
    if kind == kinds.CHARGE_POINTS:
        points = await CHARGE_POINTS.of(store.db).settled().find(query)
        return [_of_charge_point(point) for point in points]
    if kind == kinds.COMMANDS:
        commands = await COMMANDS.of(store.db).settled().find(query)
        return [_of_command(command) for command in commands]
    documents = await store.objects(kind).of(store.db).settled().find(query, _FIELDS)
    return [_of_object(kind, document) for document in documents]


def _of_object(kind: str, document: OwnedDocument) -> Event:
    fields = document["fields"]
    return Event(
        kind=kind,
        key=document["_id"],
        subject=f"{fields['country_code']}/{fields['party_id']}/{fields['id']}",
        state=format_datetime(document["last_updated"]),
        time=document["last_updated"],
        schema=SCHEMAS[kind],
        data=bytes(document["raw"]),
        offered=document["audience"] != NOBODY,
    )


def _of_charge_point(point: ChargePoint) -> Event:
    at = told_at(point) or point["status_updated"]
    return Event(
        kind=kinds.CHARGE_POINTS,
        key=point["_id"],
        subject=point["_id"],
        state=format_datetime(at),
        time=at,
        schema=SCHEMAS[kinds.CHARGE_POINTS],
        data=orjson.dumps(told_state(point)),
    )


def _of_command(command: Command) -> Event:
    said = told_command(command)
    return Event(
        kind=kinds.COMMANDS,
        key=command["_id"],
        subject=command["_id"],
        # Another charge point may be asked than at first.
        state=f"{said['status']}:{said['charge_point_id'] or ''}",
        time=state_since(command),
        schema=SCHEMAS[kinds.COMMANDS],
        data=orjson.dumps(said),
    )


def _gone(mark: EventMark) -> Event | None:
    ids = mark.get("gone")
    if ids is None:
        return None
    return Event(
        kind=mark["kind"],
        key=mark["key"],
        subject=f"{ids['country_code']}/{ids['party_id']}/{ids['id']}",
        state=f"removed:{format_datetime(mark['changed'])}",
        time=mark["changed"],
        schema=GONE_SCHEMA,
        data=orjson.dumps(ids),
        offered=False,
        gone=True,
    )
