"""The console's page of what peers see of a charge point, and of why they see it so."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.routes import NotThere
from domain.operator import charge_points, held_back_words, offered_evse
from domain.versions import VERSIONS


def add_offered_pages(router: APIRouter, console: Console) -> None:
    db = console.db
    named = {text.strip() for text in console.house.settings.CPO_OCPI_VERSIONS.split(",")}
    versions = [number for number in VERSIONS if number in named]

    @router.get("/console/charge-points/{cp_id}/offered")
    async def offered(request: Request, cp_id: str) -> Response:
        found = await charge_points.one(db, cp_id)
        if found is None:
            raise NotThere("There is no charge point of that id.")
        shown = await offered_evse.of_charge_point(db, found["registration"], versions)
        return console.page(
            request,
            "offered.html",
            cp=found,
            registration=found["registration"],
            shown=shown,
            planned=held_back_words.is_planned(found["reasons"]),
            remedy=held_back_words.remedy_of(found["reasons"]),
        )
