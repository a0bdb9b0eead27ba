"""Who may try at all: looked at before a body is read and before anything is looked up."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from auth.throttle import TooManyFailures
from cpo_app.http_errors import HttpError
from cpo_app.registry.context import Registry
from cpo_app.registry.errors import unauthorized

ADMIN = "admin"
NOT_ENTITLED = "needs X-Registry-API-Key, or X-Existing-Credentials of a registered charge point"


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def may_try(registry: Registry, request: Request, identity: str) -> None:
    """Return if it may be looked up whether it is right; raises HttpError 429.

    An identity that came in from there before always may.
    """
    address = address_of(request)
    if registry.throttle.knows(address, identity):
        return
    try:
        registry.throttle.check(address, identity)
    except TooManyFailures as error:
        raise HttpError(429, str(error), {"Retry-After": str(error.retry_after_s)}) from None


def registering(registry: Registry) -> Callable[[Request], None]:
    """A dependency: what a registration's headers say decides before its body is read."""

    def look(request: Request) -> None:
        api_key = request.headers.get("x-registry-api-key")
        if api_key is not None:
            may_try(registry, request, ADMIN)
            if registry.is_admin(api_key):
                registry.throttle.succeeded(address_of(request), ADMIN)
                return
            if not registry.open_to_new:
                registry.throttle.failed(address_of(request))
        if registry.open_to_new or request.headers.get("x-existing-credentials"):
            return
        raise unauthorized(NOT_ENTITLED)

    return look
