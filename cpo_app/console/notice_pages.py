"""The console's page of notices: what is in trouble, what lately was, who is told."""

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.notice_settings import target_ids
from domain.operator import notices


def add_notice_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/notices")
    async def notice_table(request: Request, done: Done = None) -> Response:
        found = await notices.notices(db, target_ids(console.house.settings))
        return console.page(request, "notices.html", found=found, done=said(done))
