"""Central's routes for charge points: parse, let in, one call, answer. No logic.

Every route demands the charge point's token (EV_Registry's JWT, `Authorization: Bearer`), as
CENTRAL_REQUIRE_CP_TOKEN says, and looks at it before the body is read;
errors have the shape of cpo_app.http_errors.
"""

import contextlib
from collections.abc import Iterator

from fastapi import APIRouter, Request

from auth.charge_point_access import ChargePointRefused, look_at_token
from auth.throttle import TooManyFailures, digest_of
from cpo_app.add_routes import add_routes
from cpo_app.central.errors import MAX_STRANGERS_BODY_BYTES, Admitted, looking_first
from cpo_app.central.link.engine_network import EngineAddressRefused, check_in_the_clear
from cpo_app.central.operator_router import build_operator_router
from cpo_app.central.service import Central
from cpo_app.central.wire import AuthorizeBody, HeartbeatBody, RegistrationBody, TelemetryBody
from cpo_app.front_door import client_certificates
from cpo_app.front_door.kept_connections import keep_open
from cpo_app.http_errors import HttpError
from cpo_app.log_ids import bind
from db_interface.json_data import JsonObject
from domain.charge_points.charge_point_documents import Fault
from domain.operators.actor import Actor, ActorKind

HEARTBEAT = "/cp/heartbeat"
"""It costs next to nothing unless it has news."""


def build_router(central: Central) -> APIRouter:
    """The routes under `/cp`: those of charge points, and the operator's."""

    required, secrets = central.settings.CENTRAL_REQUIRE_CP_TOKEN, central.settings.central_secrets

    async def token_first(request: Request) -> Admitted:
        address = request.client.host if request.client else ""
        token = _bearer(request.headers.get("authorization"))
        shown = digest_of(token or "")
        known = token is None or central.throttle.knows(address, shown)
        try:
            # A token that was right here before is no guess, whoever else guesses there.
            if not known:
                central.throttle.check(address)
        except TooManyFailures as error:
            raise HttpError(429, str(error), {"Retry-After": str(error.retry_after_s)}) from None
        try:
            claims = look_at_token(secrets, token, central.db.now(), required=required)
        except ChargePointRefused:
            if token is not None:
                central.throttle.failed(address)
            raise
        if claims is not None and not known:
            central.throttle.succeeded(address, shown)
        if request.url.path != HEARTBEAT:
            central.check_room(address, None if claims is None else claims.cp_id)
        if claims is None:
            return Admitted(None, MAX_STRANGERS_BODY_BYTES)
        return Admitted(Actor(ActorKind.CHARGE_POINT, claims.cp_id))

    router = APIRouter(prefix="/cp", tags=["EV_Central"], route_class=looking_first(token_first))

    @router.post("/register")
    async def register(body: RegistrationBody, request: Request) -> JsonObject:
        """Let a charge point in, and say how it will be commanded."""
        with _inside(central, request):
            return await take_in(body, request)

    async def take_in(body: RegistrationBody, request: Request) -> JsonObject:
        try:
            token = await _admitted(central, request, body.cp_id)
        except ChargePointRefused:
            await central.log_rejection(body.cp_id)
            raise
        try:
            central.engines.check(body.cp_e_host)
            if body.cp_e_fingerprint is None:
                check_in_the_clear(
                    body.cp_e_host, allowed=central.settings.CENTRAL_ENGINE_PLAIN_HTTP
                )
        except EngineAddressRefused as refused:
            raise HttpError.bad_field("cp_e_host", str(refused)) from None
        key = await central.register(
            body.cp_id,
            body.cp_e_host,
            body.cp_e_port,
            proven=token is not None,
            fingerprint=body.cp_e_fingerprint,
        )
        return {
            "status": "ok",
            "message": f"CP {body.cp_id} registered with EV_Central",
            "command_key": key,
            "heartbeat_interval_s": central.settings.CENTRAL_HEARTBEAT_INTERVAL_S,
        }

    @router.post("/heartbeat")
    async def heartbeat(body: HeartbeatBody, request: Request) -> JsonObject:
        """The monitor lives; this is what it sees of its engine."""
        await _admitted(central, request, body.cp_id, at_leisure=True)
        faults: list[Fault] = [
            {"code": fault.code, "message": fault.message} for fault in body.engine.faults
        ]
        await central.heartbeat(body.cp_id, body.interval_s, body.engine.state, faults)
        return {"status": "ok"}

    @router.post("/telemetry")
    async def telemetry(body: TelemetryBody, request: Request) -> JsonObject:
        """What happened at the engine, in order; `acked`: up to where it is kept for good."""
        received_at = central.db.now()
        # Many wait for the same look-up: they turn nobody away meanwhile.
        token = await _admitted(central, request, body.cp_id)
        with _place(central, request, None if token is None else body.cp_id):
            acked = await central.telemetry.receive(body, received_at)
        return {"status": "ok", "acked": acked}

    @router.post("/authorize")
    async def authorize(body: AuthorizeBody, request: Request) -> JsonObject:
        """A card at the reader: may it charge?"""
        with _inside(central, request):
            await _admitted(central, request, body.cp_id)
            if central.authorize is None:
                raise HttpError(501, "this EV_Central authorizes no cards")
            return await central.authorize(body.dict())

    add_routes(router, build_operator_router(central))
    return router


@contextlib.contextmanager
def _inside(central: Central, request: Request) -> Iterator[None]:
    """A place for the request, while it is worked on. Raises Overloaded: others came meanwhile."""
    token = _bearer(request.headers.get("authorization"))
    secrets = central.settings.central_secrets
    claims = look_at_token(secrets, token, central.db.now(), required=False)
    with _place(central, request, None if claims is None else claims.cp_id):
        yield


@contextlib.contextmanager
def _place(central: Central, request: Request, cp_id: str | None) -> Iterator[None]:
    """`_inside`, for a charge point whose token was looked at."""
    address = request.client.host if request.client else ""
    central.check_room(address, cp_id)
    with central.door.inside():
        yield


async def _admitted(
    central: Central, request: Request, cp_id: str, *, at_leisure: bool = False
) -> str | None:
    """The token that was shown and found right; None where none was and none is needed."""
    bind(cp_id=cp_id)
    token = _bearer(request.headers.get("authorization"))
    await central.admit(
        token,
        cp_id,
        required=central.settings.CENTRAL_REQUIRE_CP_TOKEN,
        certificate=client_certificates.of_scope(request.scope),
        at_leisure=at_leisure,
    )
    if token is not None:
        keep_open(request.scope)
    return token


def _bearer(header: str | None) -> str | None:
    """The token of the header; "" (which no token is) where it is of another scheme."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
