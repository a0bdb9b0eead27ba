"""The console's page of the audit log: who did what to what."""

from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from domain.audit.listing import changes_of, listed
from domain.paging import BadCursor

AUDIT_PAGE = 100


def add_audit_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/audit")
    async def audit_log(
        request: Request,
        about: str = Query("", max_length=200),
        by: str = Query("", max_length=100),
        cursor: str | None = Query(None, max_length=60),
        done: Done = None,
    ) -> Response:
        try:
            rows, following = await listed(
                db,
                about=about.strip() or None,
                by=by.strip() or None,
                limit=AUDIT_PAGE,
                cursor=cursor,
            )
        except BadCursor:
            raise NotThere("There is no such page of the audit log.") from None
        shown = [{**row, "changes": changes_of(row)} for row in rows]
        return console.page(
            request,
            "audit.html",
            rows=shown,
            cursor=following,
            about=about,
            by=by,
            done=said(done),
        )
