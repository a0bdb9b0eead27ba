"""Charging sessions, money that needs a look, reservations and commands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from cpo_app.actions.house import House
from cpo_app.api.lists import (
    Cursor,
    From,
    Id,
    Limit,
    OfChargePoint,
    OfPeer,
    To,
    between,
    named,
    page,
    there,
)
from cpo_app.api.routes import answered
from db_interface.json_data import JsonObject
from domain.commands.command_states import State
from domain.operator import commands, money
from domain.paging import newest
from domain.peers.peers import audiences_of
from domain.reservations.reservations import RESERVATIONS
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_states import Status

_SESSION = (
    *("_id", "cp_id", "connector_id", "country_code", "party_id", "status", "running", "source"),
    *("auth_method", "created", "started", "ended", "last_heard", "energy_wh", "power_w"),
    *("end_reason", "closed", "estimated", "suspect", "held", "unbilled", "cdr_problem"),
    *("signature", "by_hand"),
)
_RESERVATION = (
    *("_id", "peer_id", "reservation_id", "status", "active", "owner", "cp_id", "connector_id"),
    *("location_id", "evse_uid", "expiry_date", "command_id", "created", "session_id", "ended"),
)


def add_charging(router: APIRouter, house: House) -> None:
    _sessions(router, house)
    _reservations(router, house)
    _commands(router, house)


def _sessions(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/sessions", tags=["sessions"])
    async def session_list(
        limit: Limit = 100,
        cursor: Cursor = None,
        charge_point: OfChargePoint = None,
        peer: OfPeer = None,
        status: Status | None = None,
        since: From = None,
        to: To = None,
    ) -> Response:
        """As EV_Central keeps them, the latest first; `from`, `to`: when they were opened."""
        query = _wanted(charge_point, since, to)
        if status is not None:
            query["status"] = status.value
        if peer is not None:
            query["audience"] = {"$in": await audiences_of(db, peer)}
        rows, following = await newest(
            SESSIONS.of(db),
            query,
            by="created",
            limit=limit,
            cursor=cursor,
            fields=dict.fromkeys(_SESSION, 1),
        )
        return page([named(row, _SESSION) for row in rows], following)

    @router.get("/sessions/{session_id}", tags=["sessions"])
    async def session(session_id: Id) -> Response:
        found = await SESSIONS.of(db).find_one({"_id": session_id}, dict.fromkeys(_SESSION, 1))
        return answered(named(there(found, "session", session_id), _SESSION))

    @router.get("/money", tags=["sessions"])
    async def money_list(limit: Limit = 100) -> Response:
        """Money that needs a look, at most so many of each kind; what to do with each."""
        counts = await money.counts(db)
        rows = [{**asdict(row), "actions": row.actions} for row in await money.entries(db, limit)]
        return answered({"items": rows, "next": None, "unbilled_wh": counts.unbilled_wh})


def _reservations(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/reservations", tags=["reservations"])
    async def reservation_list(
        limit: Limit = 100,
        cursor: Cursor = None,
        charge_point: OfChargePoint = None,
        active: Annotated[bool | None, Query(description="Those that hold an EVSE now.")] = None,
        since: From = None,
        to: To = None,
    ) -> Response:
        """The latest first; `from`, `to`: when they were made."""
        query = _wanted(charge_point, since, to)
        if active is not None:
            query["active"] = active
        rows, following = await newest(
            RESERVATIONS.of(db), query, by="created", limit=limit, cursor=cursor
        )
        return page([named(row, _RESERVATION) for row in rows], following)

    @router.get("/reservations/{reservation_id}", tags=["reservations"])
    async def reservation(reservation_id: Id) -> Response:
        """By the `id` that the list shows, which is the charge point's, too."""
        found = await RESERVATIONS.of(db).find_one({"_id": reservation_id})
        return answered(named(there(found, "reservation", reservation_id), _RESERVATION))


def _commands(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/commands", tags=["commands"])
    async def command_list(
        limit: Limit = 100,
        cursor: Cursor = None,
        charge_point: OfChargePoint = None,
        state: State | None = None,
        since: From = None,
        to: To = None,
    ) -> Response:
        """Of peers and our own, the latest first; kept for 30 days."""
        query = _wanted(charge_point, since, to)
        if state is not None:
            query["state"] = state.value
        rows, following = await commands.page(db, query=query, limit=limit, cursor=cursor)
        return page(rows, following)

    @router.get("/commands/{command_id}", tags=["commands"])
    async def command(command_id: Id) -> Response:
        """What became of it: `result` is there as soon as it has definitely ended, and `said` says
        the same in words; until then "under way"."""
        return answered(there(await commands.one(db, command_id), "command", command_id))


def _wanted(charge_point: str | None, since: From, until: To) -> JsonObject:
    query: JsonObject = {} if charge_point is None else {"cp_id": charge_point}
    created = between(since, until)
    # Beside what a cursor says of the same field.
    return query if created is None else {**query, "$and": [{"created": created}]}
