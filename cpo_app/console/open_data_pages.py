"""The console's page of open data: whether it is given out, and what the law still wants known."""

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from domain.open_data.afir import REQUIREMENTS
from domain.open_data.kept_completeness import kept_completeness

MAX_LISTED = 100


def add_open_data_pages(router: APIRouter, console: Console) -> None:
    settings = console.house.settings

    @router.get("/console/open-data")
    async def open_data(request: Request) -> Response:
        found = await kept_completeness(console.db, settings.open_data_owners)
        lacking = {} if found is None else found["lacking"]
        return console.page(
            request,
            "open_data.html",
            is_on=settings.CPO_OPEN_DATA,
            found=found,
            items=[] if found is None else found["items"][:MAX_LISTED],
            lacking=[(one, lacking[one.name]) for one in REQUIREMENTS if one.name in lacking],
        )
