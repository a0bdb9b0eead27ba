"""Forms that only the operator's own browser, on our own page, can send (no CSRF).

A browser sends what it has (a cookie, a password for Basic) along with requests that other sites
make, too. So what changes something demands both: the browser's word that the request came from
our origin, and a token that stands on our page and belongs to that browser's cookie and to
whoever has signed in. Works in any worker: nothing is kept.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from cpo_app.bounded_body import bounded_body, replayed
from domain.operators.actor import current_actor

COOKIE = "cpo_console"
FIELD = "form_token"
MAX_BODY_BYTES = 200_000
_VISITOR = re.compile(r"[0-9a-f]{32}")
_FORM = "application/x-www-form-urlencoded"


class FormRefused(Exception):
    """The form is not taken; the message is for the operator."""

    def __init__(self, http_status: int, detail: str) -> None:
        super().__init__(detail)
        self.http_status = http_status
        self.detail = detail


class Forms:
    """`digest` is a keyed hash that all workers share (Vault.digest)."""

    def __init__(self, digest: Callable[[str], str]) -> None:
        self._digest = digest

    def visitor(self, request: Request) -> str:
        """The browser's cookie, or a new one for it."""
        given = request.cookies.get(COOKIE, "")
        return given if _VISITOR.fullmatch(given) else secrets.token_hex(16)

    def token(self, visitor: str) -> str:
        """What a form on this browser's page has to carry, for whoever sits before it now."""
        return self._digest(f"console form:{visitor}:{current_actor().name}")

    async def read(self, request: Request) -> dict[str, str]:
        """The form's fields; raises FormRefused unless it was sent from our own page."""
        if not same_origin(request):
            raise FormRefused(403, "The request did not come from this console.")
        fields = await _fields(request)
        visitor = request.cookies.get(COOKIE, "")
        given = fields.pop(FIELD, "")
        if not _VISITOR.fullmatch(visitor) or not hmac.compare_digest(
            given.encode(), self.token(visitor).encode()
        ):
            raise FormRefused(403, "The page was too old. Go back, reload it, and try again.")
        return fields


def same_origin(request: Request) -> bool:
    """Whether the browser says that one of our pages sent this. Without its word: no."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said == "same-origin"
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    return bool(host) and urlsplit(origin).netloc.lower() == host.lower()


async def read_whole(request: Request) -> Request:
    """The request with its body read. Raises FormRefused for one that is too large for a form, or
    ClientDisconnect."""
    body = await bounded_body(request, MAX_BODY_BYTES, _too_large)
    return Request(request.scope, replayed(body))


async def _fields(request: Request) -> dict[str, str]:
    """Our own few lines instead of a form parser with a history of advisories."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise FormRefused(415, "Only forms are taken here.")
    body = await request.body()
    try:
        rows = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=20)
    except ValueError:
        raise FormRefused(400, "The form cannot be read.") from None
    fields: dict[str, str] = {}
    for name, value in rows:  # ticked boxes of one name are one list of words
        fields[name] = f"{fields[name]} {value}" if name in fields else value
    return fields


def _too_large(limit_bytes: int) -> FormRefused:
    return FormRefused(413, f"The form is larger than {limit_bytes} bytes.")
