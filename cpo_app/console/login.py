"""Signing in and out: the pages before which nobody is anybody yet.

The login is a cookie that no script can read, that no other site can make the browser send, and
that is good for this very host alone where https lets it be.
"""

import re
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from auth.operator_access import NotLetIn
from cpo_app.console.console import Console
from cpo_app.console.oidc import BACK, STARTED_WITHIN_S, OidcRefused
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere, open_route_class
from cpo_app.operator_guard import address_of
from domain.operators import logins

_WITHIN = re.compile(r"/(?![/\\])[!-~]{0,500}")
"""A path of our own: nobody is sent elsewhere after signing in."""
OIDC_COOKIE = "cpo_oidc"
_BETWEEN_PAGES = ("/login", "/logout")


def build_login_router(console: Console) -> APIRouter:
    """`/login` and `/logout`."""
    router = APIRouter(include_in_schema=False, route_class=open_route_class(console))
    login = console.login

    @router.get("/login")
    async def page(request: Request, next: str = "/") -> Response:
        return _form(console, request, _own(next))

    @router.post("/login")
    async def by_password(request: Request) -> Response:
        fields = await console.submitted(request)
        name, after = fields.get("name", "").strip(), _own(fields.get("next", "/"))
        try:
            begun = await login.by_password(name, fields.get("password", ""), address_of(request))
        except NotLetIn as error:
            return _form(console, request, after, name=name, error=error)
        where = f"/login/code?next={quote(after, safe='')}" if begun.needs_code else after
        return signed_in(console, request, begun.secret, where)

    @router.get("/login/code")
    async def code_page(request: Request, next: str = "/") -> Response:
        return console.page(request, "login_code.html", next=_own(next), error=None)

    @router.post("/login/code")
    async def by_code(request: Request) -> Response:
        fields = await console.submitted(request)
        after = _own(fields.get("next", "/"))
        secret = request.cookies.get(console.guard.login_cookie(request), "")
        try:
            lasting = await login.by_code(secret, fields.get("code", ""), address_of(request))
        except NotLetIn as error:
            page = console.page(
                request,
                "login_code.html",
                status=error.http_status,
                next=after,
                error=error.detail,
            )
            return _after(page, error)
        return signed_in(console, request, lasting, after)

    @router.get("/login/once/{token}")
    async def by_link(request: Request, token: str) -> Response:
        # A browser that merely looks ahead must not use it up.
        if "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
            return Response(status_code=503)
        try:
            begun = await login.by_link(token, address_of(request))
        except NotLetIn as error:
            return _form(console, request, "/", error=error)
        where = "/login/code" if begun.needs_code else "/"
        return signed_in(console, request, begun.secret, where)

    @router.get("/login/oidc")
    async def to_provider(request: Request, next: str = "/") -> Response:
        if console.oidc is None:
            raise NotThere("No provider is set up here.")
        try:
            begun = await console.oidc.begin(_own(next), console.db.now())
        except OidcRefused as error:
            return _form(console, request, "/", error=NotLetIn(502, str(error)))
        answer = RedirectResponse(begun.url, 303, headers=HEADERS)
        # Lax: the browser comes back from the provider's site with it.
        answer.set_cookie(
            OIDC_COOKIE,
            begun.cookie,
            path="/login/oidc",
            max_age=STARTED_WITHIN_S,
            httponly=True,
            samesite="lax",
            secure=console.guard.is_https(request),
        )
        return answer

    @router.get(BACK)
    async def from_provider(request: Request, state: str = "", code: str = "") -> Response:
        if console.oidc is None:
            raise NotThere("No provider is set up here.")
        try:
            console.guard.access.check_throttle(address_of(request))
            person, after = await console.oidc.finish(
                request.cookies.get(OIDC_COOKIE, ""), state, code, console.db.now()
            )
        except OidcRefused as error:
            console.guard.access.throttle.failed(address_of(request))
            return _form(console, request, "/", error=NotLetIn(403, str(error)))
        except NotLetIn as error:
            return _form(console, request, "/", error=error)
        secret = await login.by_provider(person.name, person.role)
        # A page, not a redirect: to what another site began, the browser sends no strict cookie.
        page = console.page(request, "login_done.html", next=after)
        page.delete_cookie(OIDC_COOKIE, path="/login/oidc")
        return _with_login(console, request, page, secret)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        await console.submitted(request)
        cookie = console.guard.login_cookie(request)
        await logins.end(console.db, request.cookies.get(cookie, ""))
        answer = RedirectResponse("/login", 303, headers=HEADERS)
        answer.delete_cookie(
            cookie,
            path="/",
            httponly=True,
            samesite="strict",
            secure=console.guard.is_https(request),
        )
        return answer

    return router


def signed_in(console: Console, request: Request, secret: str, where: str) -> Response:
    """To the page that was asked for, with the cookie."""
    answer = RedirectResponse(where, 303, headers=HEADERS)
    return _with_login(console, request, answer, secret)


def _with_login(console: Console, request: Request, answer: Response, secret: str) -> Response:
    answer.set_cookie(
        console.guard.login_cookie(request),
        secret,
        path="/",
        httponly=True,
        samesite="strict",
        secure=console.guard.is_https(request),
    )
    return answer


def _form(
    console: Console, request: Request, after: str, *, name: str = "", error: NotLetIn | None = None
) -> Response:
    page = console.page(
        request,
        "login.html",
        status=200 if error is None else error.http_status,
        next=after,
        name=name[:64],
        error=None if error is None else error.detail,
        oidc=None if console.oidc is None else console.oidc.host,
    )
    return page if error is None else _after(page, error)


def _after(page: Response, error: NotLetIn) -> Response:
    if error.retry_after_s is not None:
        page.headers["Retry-After"] = str(error.retry_after_s)
    return page


def _own(path: str) -> str:
    """Where to go on; to the overview for what is not ours."""
    return path if _WITHIN.fullmatch(path) and not path.startswith(_BETWEEN_PAGES) else "/"
