"""The one guard of the operator's doors: turns a request into the Actor that it is of.

    guard = backend.operator_guard
    actor = await guard.actor(request, Door.API, needed=Role.OPERATOR)   # raises NotTheOperator
    with acting_as(actor):
        await suspend(...)             # what is recorded bears the actor's name

NotTheOperator says what to answer: 401 with its challenges, 403 (who it is may not), 429 with
Retry-After. A door that admits several roles asks for Role.VIEWER and then `demand(Role.MONEY)`
at each act, which looks at whoever acts at present. The store may be away: STORE_ERRORS pass.

Who is let in is never a question of addresses. Scripts show `Authorization: Basic` (a person, or
`admin` with CPO_ADMIN_PASSWORD) or `Bearer` with an API key; browsers the cookie of a login, which
only Door.CONSOLE takes: no page of another site can use it elsewhere.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from starlette.requests import Request

from auth.operator_access import Door, NotLetIn, OperatorAccess
from domain.operators.actor import Actor, Role, current_actor

_LOGIN = "cpo_login"
_CHALLENGES = 'Basic realm="operator", charset="UTF-8", Bearer realm="operator"'
LIVE = "x-live"
"""The header of a page that renews itself: nobody needs to sit before it."""
EVENTS = "text/event-stream"


class NotTheOperator(Exception):
    """Why not, and what the answer has to say so."""

    def __init__(
        self, http_status: int, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.detail = detail
        self.headers = headers or {}


class OperatorGuard:
    """`https`: peers and people reach this platform by https (PROTOCOL), whatever a proxy
    in front of it makes of their requests."""

    def __init__(self, access: OperatorAccess, *, https: bool = False) -> None:
        self.access = access
        self.https = https

    async def actor(self, request: Request, door: Door, needed: Role = Role.VIEWER) -> Actor:
        """Who asks. Raises NotTheOperator, also where his role does not include `needed`."""
        try:
            found = await self._found(request, door)
        except NotLetIn as error:
            raise _refusal(error) from None
        if found is None:
            # "Basic" would make a browser ask in a window of its own.
            bare = door is Door.CONSOLE and "authorization" not in request.headers
            challenges = 'Bearer realm="operator"' if bare else _CHALLENGES
            said = "the operator's name and password, or an API key, are needed"
            raise NotTheOperator(401, said, {"WWW-Authenticate": challenges})
        _check(found, needed)
        return found

    def login_cookie(self, request: Request) -> str:
        """The name of the cookie that holds a login: bound to this very host where it can be."""
        return f"__Host-{_LOGIN}" if self.is_https(request) else _LOGIN

    def is_https(self, request: Request) -> bool:
        """Whether the browser came by https, also where a proxy does not say so."""
        return self.https or request.url.scheme == "https"

    async def _found(self, request: Request, door: Door) -> Actor | None:
        scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
        address = address_of(request)
        if scheme.lower() == "bearer":
            return await self.access.by_key(given.strip(), address, door)
        if scheme.lower() == "basic":
            name, password = _basic(given)
            return await self.access.by_password(name, password, address)
        secret = request.cookies.get(self.login_cookie(request), "")
        if scheme or not secret or door is not Door.CONSOLE:
            return None
        return await self.access.by_login(secret, used=not _is_live(request))


def _is_live(request: Request) -> bool:
    """Whether it comes from a page by itself: it renews itself, or listens to what is new."""
    return LIVE in request.headers or EVENTS in request.headers.get("accept", "")


def demand(needed: Role) -> None:
    """Return if who acts at present may do what needs that role; raises NotTheOperator."""
    _check(current_actor(), needed)


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def _check(actor: Actor, needed: Role) -> None:
    if not actor.may(needed):
        role = actor.role.value if actor.role else "nobody"
        raise NotTheOperator(403, f"needs the role {needed.value}; {actor.name} is {role}")


def _refusal(error: NotLetIn) -> NotTheOperator:
    headers: dict[str, str] = {}
    if error.http_status == 401:
        headers["WWW-Authenticate"] = _CHALLENGES
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return NotTheOperator(error.http_status, error.detail, headers)


def _basic(encoded: str) -> tuple[str, str]:
    """Name and password; empty ones for what cannot be read (they are wrong, and counted)."""
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return name, password
