"""Charging sessions, money that needs a look, reservations and commands."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from cpo_app.actions.house import House
from cpo_app.api.lists import Id, Limit, add_list, named, there
from cpo_app.api.routes import answered
from domain.operator import commands, money
from domain.operator.lists import commands as command_list
from domain.operator.lists import reservations as reservation_list
from domain.operator.lists import sessions as session_list
from domain.reservations.reservations import RESERVATIONS
from domain.sessions.session_records import SESSIONS

_SESSION = (
    *("_id", "cp_id", "connector_id", "country_code", "party_id", "status", "running", "source"),
    *("auth_method", "created", "started", "ended", "last_heard", "energy_wh", "power_w"),
    *("end_reason", "closed", "estimated", "suspect", "held", "unbilled", "cdr_problem"),
    *("signature", "by_hand"),
)
_RESERVATION = reservation_list.SHOWN


def add_charging(router: APIRouter, house: House) -> None:
    _sessions(router, house)
    _reservations(router, house)
    _commands(router, house)


def _sessions(router: APIRouter, house: House) -> None:
    db = house.store.db
    add_list(
        router,
        house,
        "/sessions",
        session_list.LIST,
        tag="sessions",
        meaning="As EV_Central keeps them; `from`, `to`: when they were opened.",
        fields=dict.fromkeys(_SESSION, 1),
        row=lambda row: named(row, _SESSION),
    )

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
    add_list(
        router,
        house,
        "/reservations",
        reservation_list.LIST,
        tag="reservations",
        meaning="`from`, `to`: when they were made.",
        fields=dict.fromkeys(_RESERVATION, 1),
        row=lambda row: named(row, _RESERVATION),
    )

    @router.get("/reservations/{reservation_id}", tags=["reservations"])
    async def reservation(reservation_id: Id) -> Response:
        """By the `id` that the list shows, which is the charge point's, too."""
        found = await RESERVATIONS.of(db).find_one({"_id": reservation_id})
        return answered(named(there(found, "reservation", reservation_id), _RESERVATION))


def _commands(router: APIRouter, house: House) -> None:
    db = house.store.db
    add_list(
        router,
        house,
        "/commands",
        command_list.LIST,
        tag="commands",
        meaning="Of peers and our own; kept for 30 days.",
    )

    @router.get("/commands/{command_id}", tags=["commands"])
    async def command(command_id: Id) -> Response:
        """What became of it: `result` is there as soon as it has definitely ended, and `said` says
        the same in words; until then "under way"."""
        return answered(there(await commands.one(db, command_id), "command", command_id))
