"""Bright or dark, as the browser has it or as somebody chose: in a cookie, so that each page comes
as it is to look, also without scripts."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused
from cpo_app.console.rendering import HEADERS, THEME_COOKIE, THEMES

_KEPT_S = 365 * 24 * 3600


def add_theme(router: APIRouter, console: Console) -> None:
    @router.post("/console/theme")
    async def choose(request: Request) -> Response:
        wanted = (await console.submitted(request)).get("theme", "")
        if wanted not in THEMES:
            raise FormRefused(400, "There is no such theme.")
        answer = RedirectResponse(_back(request), 303, headers=HEADERS)
        answer.set_cookie(
            THEME_COOKIE,
            wanted,
            max_age=_KEPT_S,
            httponly=True,
            samesite="lax",
            secure=console.guard.is_https(request),
        )
        return answer


def _back(request: Request) -> str:
    """To the page that the form stood on, which is one of ours."""
    came = urlsplit(request.headers.get("referer", ""))
    path = came.path or "/"
    # "//x" would be another host.
    if not path.startswith("/") or path.startswith("//") or came.netloc != request.url.netloc:
        return "/"
    return f"{path}?{came.query}" if came.query else path
