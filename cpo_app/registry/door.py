"""Who may try at all: looked at before a body is read and before anything is looked up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from auth.throttle import TooManyFailures, digest_of
from cpo_app.http_errors import HttpError
from cpo_app.registry.context import Registry
from cpo_app.registry.errors import not_ready, unauthorized
from domain.charge_points import enrolments, registrations

ADMIN = "admin"
IDEMPOTENCY_KEY = "Idempotency-Key"
MIN_KEY_LENGTH, MAX_KEY_LENGTH = 32, 128
"""Whoever could guess it could take the charge point over until it has logged in."""
NOT_ENTITLED = (
    "needs X-Registry-API-Key (the operator's key, or the charge point's enrolment token), or "
    "X-Existing-Credentials of a registered charge point"
)


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def may_try(registry: Registry, request: Request, identity: str, shown: str) -> None:
    """Return if it may be looked up whether what is shown is right; raises HttpError 429.

    What was right from there before always may.
    """
    address = address_of(request)
    if registry.throttle.knows(address, digest_of(shown)):
        return
    try:
        registry.throttle.check(address, identity)
    except TooManyFailures as error:
        raise HttpError(429, str(error), {"Retry-After": str(error.retry_after_s)}) from None


def came_in(registry: Registry, request: Request, identity: str, shown: str) -> None:
    """What was shown is right."""
    for known in (identity, digest_of(shown)):
        registry.throttle.succeeded(address_of(request), known)


def key_hashes(registry: Registry, request: Request) -> tuple[str, ...]:
    """The keyed hashes of the request's idempotency key; empty: it has none. Raises HttpError."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return ()
    if not MIN_KEY_LENGTH <= len(key) <= MAX_KEY_LENGTH or not key.isascii():
        raise HttpError.bad_field(
            IDEMPOTENCY_KEY, f"{MIN_KEY_LENGTH} to {MAX_KEY_LENGTH} random ASCII characters"
        )
    return registry.hashes.of(f"registration request {key}")


def registering(registry: Registry) -> Callable[[Request], Awaitable[None]]:
    """A dependency: what a registration's headers say decides before its body is read."""

    async def look(request: Request) -> None:
        api_key = request.headers.get("x-registry-api-key")
        if api_key is not None:
            may_try(registry, request, ADMIN, api_key)
            if registry.is_admin(api_key):
                came_in(registry, request, ADMIN, api_key)
                return
            if await _may_enrol(registry, api_key) or await repeating(request):
                return
            if not registry.open_to_new:
                registry.throttle.failed(address_of(request))
        if registry.open_to_new or request.headers.get("x-existing-credentials"):
            return
        if api_key is None and request.headers.get(IDEMPOTENCY_KEY) is not None:
            if await repeating(request):
                return
            registry.throttle.failed(address_of(request))
        raise unauthorized(NOT_ENTITLED)

    async def repeating(request: Request) -> bool:
        hashes = key_hashes(registry, request)
        if not hashes:
            return False
        may_try(registry, request, ADMIN, request.headers[IDEMPOTENCY_KEY])
        if registry.store is None:
            raise not_ready()
        return await registrations.may_repeat(registry.store.db, hashes)

    return look


def reading(registry: Registry) -> Callable[[Request], Awaitable[None]]:
    """A dependency: the charge points' facts are the operator's, and each charge point's its own.

    REGISTRY_PUBLIC_LISTING opens them to everybody; so does a registry without an operator's key.
    """

    async def look(request: Request) -> None:
        if registry.open_to_new or registry.settings.REGISTRY_PUBLIC_LISTING:
            return
        api_key = request.headers.get("x-registry-api-key")
        authorization = request.headers.get("authorization")
        shown = api_key or authorization or ""
        may_try(registry, request, ADMIN, shown)
        if registry.is_admin(api_key):
            came_in(registry, request, ADMIN, shown)
            return
        try:
            registry.check_own_token(authorization, request.path_params.get("cp_id", ""))
        except HttpError:
            if api_key or authorization:
                registry.throttle.failed(address_of(request))
            raise

    return look


async def _may_enrol(registry: Registry, api_key: str) -> bool:
    token_hash = enrolments.hash_of(api_key)
    if token_hash is None:
        return False
    if registry.store is None:
        raise not_ready()
    return await enrolments.is_known(registry.store.db, token_hash, registry.now())
