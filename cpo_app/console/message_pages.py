"""The console's pages of what a charge point and we have said to each other, word by word."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.routes import NotThere
from db_interface.json_data import JsonObject
from domain.charge_points import dead_letters
from domain.ocpp import stations
from domain.ocpp.stations import Station
from domain.operator import charge_points, commands, station_talk
from domain.operator.station_talk import NoSuchPlace, Outcome, Wanted
from domain.times import parse_datetime

PAGE = 50
MAX_COMMANDS = 50
_DIRECTIONS = {"": None, "station": False, "us": True}
_Short = Annotated[str, Query(max_length=64)]
_Long = Annotated[str, Query(max_length=255)]


class _NotUnderstood(ValueError):
    """What is looked for cannot be; the message says why."""


def add_message_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/charge-points/{cp_id}/messages")
    async def messages(
        request: Request,
        cp_id: str,
        action: _Short = "",
        id: _Long = "",
        text: _Long = "",
        asked_by: _Short = "",
        outcome: _Short = "",
        since: _Short = "",
        until: _Short = "",
        before: _Short = "",
    ) -> Response:
        found, station = await _place(console, cp_id)
        if station is None:
            return await _without_log(console, request, found["id"])
        given = {
            "action": action.strip(),
            "id": id.strip(),
            "text": text.strip(),
            "asked_by": asked_by,
            "outcome": outcome,
            "since": since.strip(),
            "until": until.strip(),
        }
        problem, talks = None, station_talk.Page((), None)
        try:
            talks = await station_talk.page(
                db, station["_id"], _wanted(given), before=before or None, limit=PAGE
            )
        except (_NotUnderstood, NoSuchPlace) as error:
            problem = str(error)
        query = urlencode({name: value for name, value in given.items() if value})
        return console.page(
            request,
            "messages.html",
            cp=found,
            station=station["_id"],
            talks=talks,
            given=given,
            query=query,
            before=before,
            outcomes=[one.value for one in Outcome],
            problem=problem,
            kept=console.house.settings.CPO_OCPP_LOG_MESSAGES,
            days=console.house.settings.CPO_OCPP_LOG_DAYS,
        )

    @router.get("/console/charge-points/{cp_id}/messages/{key}")
    async def message(request: Request, cp_id: str, key: str) -> Response:
        found, station = await _place(console, cp_id)
        talk = None if station is None else await station_talk.one(db, station["_id"], key)
        if station is None or talk is None:
            raise NotThere("There is no such message: it is not kept any more.")
        return console.page(
            request,
            "message.html",
            cp=found,
            station=station["_id"],
            talk=talk,
            question=station_talk.indented(talk.question["content"]),
            answer=None if talk.answer is None else station_talk.indented(talk.answer["content"]),
        )


async def _place(console: Console, cp_id: str) -> tuple[JsonObject, Station | None]:
    """The charge point, and the station that it is an EVSE of; None: it speaks no OCPP. A box that
    waits to be added has messages, too."""
    found = await charge_points.one(console.db, cp_id)
    if found is not None:
        seat = await stations.of_charge_point(console.db, found["id"])
        return found, None if seat is None else seat[0]
    station = await stations.get(console.db, cp_id)
    if station is None:
        raise NotThere("There is no charge point of that id.")
    return {"id": station["_id"], "waits": True}, station


async def _without_log(console: Console, request: Request, cp_id: str) -> Response:
    """Of a charge point of EV_CP_E nothing is kept word by word: what there is instead."""
    asked, _ = await commands.page(console.db, cp_id=cp_id, limit=MAX_COMMANDS)
    letters = await dead_letters.listed(console.db, cp_id, MAX_COMMANDS)
    return console.page(
        request, "messages_not_kept.html", id=cp_id, commands=asked, letters=letters
    )


def _wanted(given: dict[str, str]) -> Wanted:
    try:
        outcome = Outcome(given["outcome"]) if given["outcome"] else None
        from_us = _DIRECTIONS[given["asked_by"]]
    except (ValueError, KeyError):
        raise _NotUnderstood("That outcome or direction is none of those in the list.") from None
    return Wanted(
        action=given["action"],
        message_id=given["id"],
        text=given["text"],
        from_us=from_us,
        outcome=outcome,
        since=_moment(given["since"]),
        until=_moment(given["until"]),
    )


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    whole = text.replace(" ", "T") if "T" in text or " " in text else f"{text}T00:00:00"
    if whole.count(":") == 1:
        whole += ":00"
    try:
        return parse_datetime(whole if whole.endswith("Z") else f"{whole}Z")
    except ValueError:
        raise _NotUnderstood(f"{text}: is no time like 2025-05-01 12:00:00.") from None
