"""The console's lists: each of them paged, narrowed and sorted by its address, and as CSV."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from functools import partial

from fastapi import APIRouter

from cpo_app.console import ocpi_objects
from cpo_app.console.console import Console
from cpo_app.console.lists import add_list
from db_interface.json_data import JsonObject
from domain.listing.listing import Asked
from domain.ocpp import templates
from domain.operator.lists import (
    audit,
    cards,
    cdrs,
    charge_points,
    commands,
    locations,
    reservations,
    sessions,
    stations,
)

TOTALS_KEPT_S = 60.0
MANY_CDRS = 1_000
"""So many in a week are not summed anew for each view: that takes as long as all else."""


def add_list_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    async def counts(asked: Asked) -> JsonObject:
        return {"counts": (await console.fleet.now())[0]}

    kept: list[tuple[float, JsonObject]] = []

    async def totals(asked: Asked) -> JsonObject:
        if kept and time.monotonic() - kept[0][0] < TOTALS_KEPT_S:
            return kept[0][1]
        now = console.clock()
        day, week = await asyncio.gather(
            ocpi_objects.cdr_totals(db, now - timedelta(days=1)),
            ocpi_objects.cdr_totals(db, now - timedelta(days=7)),
        )
        summed: JsonObject = {"totals": [("24 hours", *day), ("7 days", *week)]}
        many = sum(total.number for total in week[0]) > MANY_CDRS
        kept[:] = [(time.monotonic(), summed)] if many else []
        return summed

    async def wanted(asked: Asked) -> JsonObject:
        return {"templates": [templates.shown(one) for one in await templates.all_of(db)]}

    put = partial(add_list, router, console)
    put("/console/charge-points", "charge_points.html", charge_points.LIST, more=counts)
    put("/console/stations", "stations.html", stations.LIST, more=wanted)
    put("/console/sessions", "sessions.html", sessions.LIST)
    put("/console/cdrs", "cdrs.html", cdrs.LIST, more=totals)
    put("/console/locations", "locations.html", locations.LIST)
    put("/console/tokens", "tokens.html", cards.LIST)
    put("/console/commands", "commands.html", commands.LIST)
    put("/console/reservations", "reservations.html", reservations.LIST)
    put("/audit", "audit.html", audit.LIST)
