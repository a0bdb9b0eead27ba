"""The console's page of one charge point: how it is, what it did, all that can be done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from cpo_app.console.timeline import timeline
from cpo_app.console.words import is_old
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.charge_points import dead_letters, evse_history
from domain.operator import charge_points, commands, held_back_words, sessions, station_talk
from domain.operator.station_talk import Talk, Wanted

MAX_CHANGES = 5000
CHANGES_SHOWN = 50
MAX_LETTERS = 50
MAX_COMMANDS = 10
MAX_SESSIONS = 10
MAX_ASKED = 8
LOOKED_THROUGH = 500
"""Messages of a station, for what we have asked it lately."""


class Span(str, Enum):
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


_SPANS = {
    Span.DAY: ("24 hours", timedelta(days=1), ("24 h ago", "12 h")),
    Span.WEEK: ("7 days", timedelta(days=7), ("7 days ago", "3.5 days")),
    Span.MONTH: ("30 days", timedelta(days=30), ("30 days ago", "15 days")),
}


def add_charge_point_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/charge-points/{cp_id}")
    async def charge_point(
        request: Request, cp_id: str, span: Span = Span.DAY, done: Done = None
    ) -> Response:
        found = await charge_points.one(db, cp_id)
        if found is None:
            raise NotThere("There is no charge point of that id.")
        now, (name, length, axis) = console.clock(), _SPANS[span]
        changes, uptimes, letters, (asked, _), latest, told = await asyncio.gather(
            evse_history.latest_since(db, found["id"], now - length, MAX_CHANGES),
            console.uptimes(found["id"]),
            dead_letters.listed(db, found["id"], MAX_LETTERS),
            commands.page(db, cp_id=found["id"], limit=MAX_COMMANDS),
            sessions.of_charge_point(db, found["id"], MAX_SESSIONS),
            _told(db, found["station"]),
        )
        fresh = [
            one["meter"]["power_w"]
            for one in found["connectors"]
            if (one.get("meter") or {}).get("power_w") is not None
            and not is_old(one["meter"].get("at"), now)
        ]
        return console.page(
            request,
            "charge_point.html",
            cp=found,
            facts=found["charge_point"],
            registration=found["registration"],
            station=found["station"],
            planned=held_back_words.is_planned(found["reasons"]),
            remedy=held_back_words.remedy_of(found["reasons"]),
            power_w=sum(fresh) if fresh else None,
            changes=changes[:CHANGES_SHOWN],
            timeline=timeline(changes, now - length, now),
            span=span.value,
            span_name=name,
            axis=axis,
            spans=[(one.value, _SPANS[one][0]) for one in Span],
            uptimes=uptimes,
            letters=letters,
            commands=asked,
            sessions=latest,
            told=told,
            done=said(done),
        )


async def _told(db: Database, station: JsonMapping | None) -> Sequence[Talk]:
    """What we have asked its box lately, with the answers."""
    if station is None:
        return ()
    page = await station_talk.page(
        db, station["id"], Wanted(from_us=True), limit=MAX_ASKED, look_through=LOOKED_THROUGH
    )
    return page.talks
