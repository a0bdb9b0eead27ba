"""Charge points, and telemetry of theirs that was not taken."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from cpo_app.actions.house import House
from cpo_app.api.lists import (
    From,
    Id,
    Limit,
    OfChargePoint,
    To,
    add_list,
    not_there,
    page,
    there,
    utc,
)
from cpo_app.api.routes import answered
from domain.charge_points import dead_letters
from domain.ocpp import templates
from domain.operator import charge_points, station_messages, station_transactions
from domain.operator.lists import charge_points as charge_point_list
from domain.operator.lists import stations as station_listing


def add_charge_points(router: APIRouter, house: House) -> None:
    db = house.store.db

    add_list(
        router,
        house,
        "/charge-points",
        charge_point_list.LIST,
        tag="charge_points",
        meaning="All that are, or were, registered.",
    )

    @router.get("/charge-points/{cp_id}", tags=["charge_points"])
    async def charge_point(cp_id: Id) -> Response:
        found = await charge_points.one(db, cp_id)
        return answered(there(found, "charge point", cp_id))

    add_list(
        router,
        house,
        "/stations",
        station_listing.LIST,
        tag="ocpp",
        meaning="Boxes that speak OCPP; also those that wait to be added.",
    )

    @router.get("/ocpp-templates", tags=["ocpp"])
    async def template_list() -> Response:
        """How stations are to be configured."""
        return page([dict(templates.shown(one)) for one in await templates.all_of(db)], None)

    @router.get("/charge-points/{cp_id}/messages", tags=["ocpp"])
    async def message_list(
        cp_id: Id,
        limit: Limit = 100,
        action: Annotated[str | None, Query(max_length=60)] = None,
        message_id: Annotated[str | None, Query(max_length=255)] = None,
        text: Annotated[str | None, Query(max_length=100)] = None,
        since: From = None,
        to: To = None,
    ) -> Response:
        """What its station and we have said to each other over OCPP, the newest first."""
        rows = await station_messages.of_charge_point(
            db,
            cp_id,
            action=action,
            message_id=message_id,
            text=text,
            since=utc(since),
            until=utc(to),
            limit=limit,
        )
        if rows is None:
            raise not_there("charge point with OCPP", cp_id)
        return page(rows, None)

    @router.get("/charge-points/{cp_id}/transactions", tags=["ocpp"])
    async def transaction_list(cp_id: Id, limit: Limit = 100) -> Response:
        """What its station calls its charging sessions, the latest first, and whose each is."""
        rows = await station_transactions.of_charge_point(db, cp_id, limit=limit)
        if rows is None:
            raise not_there("charge point with OCPP", cp_id)
        return page(rows, None)

    @router.get("/dead-letters", tags=["charge_points"])
    async def dead_letter_list(limit: Limit = 100, charge_point: OfChargePoint = None) -> Response:
        """Telemetry that was not taken: those that failed first, the latest first."""
        rows = await dead_letters.listed(db, charge_point, limit)
        return page([asdict(row) for row in rows], None)
