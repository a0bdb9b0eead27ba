"""The console's page of one charge point."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from cpo_app.console.timeline import timeline
from domain.charge_points import dead_letters, evse_history
from domain.operator import charge_points, commands

MAX_CHANGES = 500
CHANGES_SHOWN = 50
MAX_LETTERS = 50
MAX_COMMANDS = 10


def add_charge_point_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/charge-points/{cp_id}")
    async def charge_point(request: Request, cp_id: str, done: Done = None) -> Response:
        found = await charge_points.one(db, cp_id)
        if found is None:
            raise NotThere("There is no charge point of that id.")
        now = console.clock()
        day_ago = now - timedelta(days=1)
        changes, uptimes, letters, asked = await asyncio.gather(
            evse_history.latest(db, found["id"], MAX_CHANGES),
            console.uptimes(found["id"]),
            dead_letters.listed(db, found["id"], MAX_LETTERS),
            commands.page(db, cp_id=found["id"], limit=MAX_COMMANDS),
        )
        return console.page(
            request,
            "charge_point.html",
            cp=found,
            facts=found["charge_point"],
            registration=found["registration"],
            station=found["station"],
            changes=changes[:CHANGES_SHOWN],
            timeline=timeline(changes, day_ago, now),
            uptimes=uptimes,
            letters=letters,
            commands=asked[0],
            done=said(done),
        )
