"""Who may see and do what only the operator may: HTTP Basic, user "admin", CPO_ADMIN_PASSWORD.

Without that password nobody may, except this very host on embedded defaults. A page in the
operator's browser is not this host: the Host header must name it (DNS rebinding), and what
changes something takes JSON only (no form of another site can send it unasked).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from auth.throttle import Throttle, TooManyFailures, digest_of
from cpo_app.this_host import is_from_this_host

USER = "admin"


@dataclass(frozen=True)
class NotTheOperator(Exception):
    """Why not, and what the answer has to say so: 401 with its challenge, 403, or 429."""

    http_status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


class OperatorGuard:
    """`password` is CPO_ADMIN_PASSWORD; without one, `open_to_loopback` lets this host in."""

    def __init__(
        self, password: str, *, open_to_loopback: bool, throttle: Throttle | None = None
    ) -> None:
        self._password = password
        self._throttle = throttle
        self._open_to_loopback = open_to_loopback

    def refusal(self, request: Request) -> NotTheOperator | None:
        """None: the request is the operator's."""
        try:
            require_operator(
                request,
                self._password,
                open_to_loopback=self._open_to_loopback,
                throttle=self._throttle,
            )
        except NotTheOperator as error:
            return error
        return None


def require_operator(
    request: Request, password: str, *, open_to_loopback: bool, throttle: Throttle | None = None
) -> None:
    """Return if the request is the operator's; raises NotTheOperator.

    Wrong passwords are counted by `throttle`; after too many none is looked at for a while, but
    for one that was right before.
    """
    if password:
        header = request.headers.get("authorization", "")
        address = request.client.host if request.client else ""
        shown = digest_of(header)
        if throttle is not None and header and not throttle.knows(address, shown):
            try:
                throttle.check(address, USER)
            except TooManyFailures as error:
                after = {"Retry-After": str(error.retry_after_s)}
                raise NotTheOperator(429, str(error), after) from None
        if not _is_admin(header, password):
            if throttle is not None and header:
                throttle.failed(address, USER)
            challenge = {"WWW-Authenticate": 'Basic realm="EV_Central", charset="UTF-8"'}
            raise NotTheOperator(401, "user admin and CPO_ADMIN_PASSWORD are needed", challenge)
        if throttle is not None:
            throttle.succeeded(address, USER)
            throttle.succeeded(address, shown)
        return
    if not open_to_loopback or not is_from_this_host(request):
        raise NotTheOperator(403, "for the operator: set CPO_ADMIN_PASSWORD")


def _is_admin(header: str, password: str) -> bool:
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{USER}:{password}".encode())
