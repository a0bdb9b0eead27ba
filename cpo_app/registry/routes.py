"""EV_Registry's routes for charge points: parse, one call into crud, answer."""

import logging
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from cpo_app.front_door import client_certificates
from cpo_app.http_errors import HttpError
from cpo_app.registry.certificates import CertificateRefused, checked_certificate
from cpo_app.registry.context import Registry
from cpo_app.registry.door import (
    ADMIN,
    NOT_ENTITLED,
    address_of,
    came_in,
    key_hashes,
    may_try,
    reading,
    registering,
)
from cpo_app.registry.errors import not_ready, not_registered, unauthorized
from cpo_app.registry.payloads import (
    AUTHENTICATING_LIMIT_BYTES,
    Authenticating,
    Registering,
    body_of,
    documented,
)
from cpo_app.registry.views import facts, time_text
from db_interface.interface import DbInterface
from domain.charge_points import enrolments, registrations
from domain.charge_points.registrations import (
    STATUSES,
    Application,
    IsDeregistered,
    NotBound,
    NotEntitled,
    NotRegistered,
    PartyIsFixed,
    Proof,
    Record,
    WrongCertificate,
)
from domain.notices import certificates
from domain.secrets import new_token

logger = logging.getLogger("cpo.registry")

_MAX_OFFSET = 2**31 - 1
_NO_BEARER = "needs X-Registry-API-Key or X-Existing-Credentials; a token does not deregister"
_NEEDS_CERTIFICATE = "a TLS client certificate is needed here"
_WRONG_CERTIFICATE = "the client certificate is not the one that the charge point registered with"
_NOT_BOUND = "registered without a client certificate: register again, with one"


def charge_point_routes(registry: Registry) -> APIRouter:
    """`/cp` and below, on the registry's store."""
    router = APIRouter(prefix="/cp", tags=["Charge points"])
    certificate_required = registry.settings.REGISTRY_REQUIRE_CERTIFICATE

    # Dependencies are coroutines, though they wait for nothing: FastAPI has threads for others.
    async def the_store() -> DbInterface:
        if registry.store is None:
            raise not_ready()
        return registry.store

    @router.post(
        "/register",
        summary="Register a charge point, or register it again with new credentials",
        openapi_extra=documented(Registering),
        dependencies=[Depends(registering(registry))],
    )
    async def register(
        request: Request,
        response: Response,
        body: Registering = Depends(body_of(Registering)),
        x_registry_api_key: str | None = Header(None),
        x_existing_credentials: str | None = Header(None),
        idempotency_key: str | None = Header(
            None,
            description="Random, kept by the charge point before it asks: with it, an answer that "
            "was lost can be asked for again for a day, until the credentials are first used.",
        ),
        store: DbInterface = Depends(the_store),
    ) -> dict[str, Any]:
        now = registry.now()
        credentials = new_token()
        shown = x_existing_credentials
        shown_certificate = client_certificates.of_scope(request.scope)
        if certificate_required and shown_certificate is None:
            raise HttpError(403, _NEEDS_CERTIFICATE)
        if shown:
            may_try(registry, request, body.cp_id, shown)
        try:
            done = await registrations.register(
                store,
                _application(registry, body, shown_certificate, now),
                proof=Proof(
                    admin=registry.is_admin(x_registry_api_key),
                    digests=registry.hashes.of(shown) if shown else (),
                    enrolment=enrolments.hash_of(x_registry_api_key or ""),
                    key=key_hashes(registry, request) if idempotency_key else (),
                ),
                open_to_new=registry.open_to_new,
                credentials_hash=registry.hashes.of(credentials)[0],
                party=registry.party,
            )
        except PartyIsFixed:
            raise HttpError(
                403, "metadata.party: it is another party's; the operator's key changes that"
            ) from None
        except NotEntitled:
            if shown:
                registry.throttle.failed(address_of(request), body.cp_id)
            raise unauthorized(NOT_ENTITLED) from None
        except WrongCertificate:
            raise HttpError(403, _WRONG_CERTIFICATE, error="certificate") from None
        record = done.record
        await _note_end(request, store, record)
        logger.info(
            "CP registered: %s at %s (new=%s, cert=%s)",
            record["_id"],
            record["location"],
            done.is_new,
            bool(record["certificate_fingerprint"]),
        )
        return {
            **_with_token(registry, record, response),
            "credentials": credentials,
            "registration_date": time_text(record["registration_date"]),
            "message": "registered; the credentials are shown this once: keep them"
            if done.is_new
            else "registered again; earlier credentials and tokens are no longer good",
        }

    @router.post(
        "/authenticate",
        summary="Exchange credentials for a token",
        openapi_extra=documented(Authenticating),
    )
    async def authenticate(
        request: Request,
        response: Response,
        body: Authenticating = Depends(body_of(Authenticating, AUTHENTICATING_LIMIT_BYTES)),
        store: DbInterface = Depends(the_store),
    ) -> dict[str, Any]:
        may_try(registry, request, body.cp_id, body.credentials)
        digests = registry.hashes.of(body.credentials)
        try:
            record = await registrations.authenticate(
                store.db,
                body.cp_id,
                digests,
                certificate=client_certificates.of_scope(request.scope),
                certificate_required=certificate_required,
            )
        except NotEntitled:
            registry.throttle.failed(address_of(request), body.cp_id)
            raise unauthorized("unknown charge point or wrong credentials") from None
        except IsDeregistered:
            raise HttpError(403, "the charge point is deregistered") from None
        except WrongCertificate:
            raise HttpError(403, _WRONG_CERTIFICATE, error="certificate") from None
        except NotBound:
            raise unauthorized(_NOT_BOUND) from None
        came_in(registry, request, body.cp_id, body.credentials)
        await _note_end(request, store, record)
        return {
            **_with_token(registry, record, response),
            "last_authenticated": time_text(record["last_authenticated"]),
            "message": "authenticated",
        }

    may_read = Depends(reading(registry))

    @router.get("", summary="Charge points in order of registration", dependencies=[may_read])
    async def listing(
        status_filter: str | None = Query(None, description=" or ".join(STATUSES)),
        limit: int = Query(100, ge=1, le=1000),
        offset: int = Query(0, ge=0, le=_MAX_OFFSET),
        store: DbInterface = Depends(the_store),
    ) -> dict[str, Any]:
        status = status_filter.strip().upper() if status_filter else None
        if status is not None and status not in STATUSES:
            raise HttpError.bad_field("status_filter", f"is {' or '.join(STATUSES)}")
        page = await registrations.page(store.db, status=status, limit=limit, offset=offset)
        return {
            "cps": [facts(record) for record in page.records],
            "total": page.total,
            "limit": limit,
            "offset": offset,
        }

    @router.get("/{cp_id}", summary="The facts of a charge point", dependencies=[may_read])
    async def show(cp_id: str, store: DbInterface = Depends(the_store)) -> dict[str, Any]:
        record = await registrations.get(store.db, cp_id)
        if record is None:
            raise not_registered(cp_id)
        return facts(record)

    @router.delete("/{cp_id}", summary="Deregister a charge point")
    async def deregister(
        request: Request,
        cp_id: str,
        x_registry_api_key: str | None = Header(None),
        x_existing_credentials: str | None = Header(None),
        store: DbInterface = Depends(the_store),
    ) -> dict[str, Any]:
        may_try(registry, request, ADMIN, x_registry_api_key or x_existing_credentials or "")
        if registry.is_admin(x_registry_api_key):
            proof = Proof(admin=True)
        elif x_existing_credentials:
            proof = Proof(digests=registry.hashes.of(x_existing_credentials))
        else:
            if x_registry_api_key:
                registry.throttle.failed(address_of(request))
            raise unauthorized(_NO_BEARER)
        try:
            record = await registrations.deregister(store, cp_id, proof=proof, party=registry.party)
        except NotRegistered:
            raise not_registered(cp_id) from None
        except NotEntitled:
            registry.throttle.failed(address_of(request), cp_id)
            raise unauthorized("unknown charge point or wrong credentials") from None
        logger.info("CP deregistered: %s at %s", record["_id"], record["location"])
        return {
            **facts(record),
            "message": "deregistered; its credentials and tokens are no longer good",
        }

    return router


async def _note_end(request: Request, store: DbInterface, record: Record) -> None:
    """When the certificate ends that the charge point has just been let in with."""
    ends = client_certificates.end_of_scope(request.scope)
    if ends is not None:
        await certificates.note(store.db, certificates.CHARGE_POINT, {record["_id"]: ends})


def _application(
    registry: Registry, body: Registering, shown_certificate: str | None, now: datetime
) -> Application:
    certificate_pem = body.certificate_pem
    if certificate_pem is not None:
        try:
            certificate_pem = checked_certificate(certificate_pem, now)
        except CertificateRefused as refusal:
            raise HttpError.bad_field("certificate_pem", str(refusal)) from None
    party = registry.named_party((body.metadata or {}).get("party"))
    return Application(
        body.cp_id, body.location, body.metadata, certificate_pem, shown_certificate, party
    )


def _with_token(registry: Registry, record: Record, response: Response) -> dict[str, Any]:
    """What register and authenticate have in common: a fresh token that nobody may cache."""
    response.headers["Cache-Control"] = "no-store"
    token, expires_at = registry.issue_token(record)
    return {
        "cp_id": record["_id"],
        "location": record["location"],
        "status": record["status"],
        "token": token,
        "token_expires_at": time_text(expires_at),
    }
