"""The gate before all OCPI routes: one pure ASGI middleware, nothing of a body read before it.

In this order: path made plain, ids taken over or made, the credentials token checked, routing
headers checked, the peer's turn waited for, the body's size bounded. Whatever goes wrong behind it
ends in an envelope, and every answer carries the ids and, on functional modules, the routing
headers swapped.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.authenticator import Caller, OcpiAuthenticator
from auth.credentials_header import said_of_unknown
from auth.throttle import Throttle, TooManyFailures, digest_of
from cpo_app.bounded_body import bounded_receive
from cpo_app.log_ids import bind, bound, usable_id
from cpo_app.log_ration import RATIONED
from cpo_app.ocpi.server import metrics
from cpo_app.ocpi.server.context import SCOPE_KEY, RequestContext, Routing
from cpo_app.ocpi.server.errors import error_answer
from cpo_app.ocpi.server.peer_shares import PeerLimits
from domain.errors import BodyTooLarge, NotAuthorized, NotFound, TooManyRequests, UnknownParty
from domain.log_events import log_event
from domain.operators.actor import Actor, ActorKind, acting_as
from domain.peers import access_points
from domain.peers.access_points import is_access_point
from domain.peers.offered_versions import offered_to
from domain.versions import INNER_VERSION, OcpiVersion

CONFIGURATION_MODULES = ("versions", "details", "credentials", "clientinfo", "hubclientinfo")
"""Never routed (transport_and_format, Message Routing): no routing headers on their answers."""
_OPEN_TO_TOKEN_A = ("versions", "details", "credentials")
_BEFORE_A_VERSION_IS_CHOSEN = ("versions", "details")
"""Here a token is good as any of the versions that we offer has it: the peer is yet to choose."""
_READS = ("GET", "HEAD", "OPTIONS")

logger = logging.getLogger("cpo.ocpi")


class Gate:
    """Guards the paths under `/<prefix>/`; everything else passes untouched.

    `open_paths` (the docs) need no token. `parties` are the folded keys of those we host,
    `versions` what is offered.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        authenticator: OcpiAuthenticator,
        versions: Sequence[OcpiVersion],
        parties: Collection[str],
        max_body_bytes: int,
        throttle: Throttle,
        limits: PeerLimits,
        open_paths: Collection[str] = (),
    ) -> None:
        self.app = app
        self._root = f"/{prefix}"
        self._authenticator = authenticator
        self._versions = {version.number: version for version in versions}
        self._parties = parties
        self._max_body_bytes = max_body_bytes
        self._throttle = throttle
        self._limits = limits
        self._open_paths = frozenset(open_paths)
        self._below_open_paths = tuple(f"{open_path}/" for open_path in open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = plain_path(scope["path"])
        if path != self._root and not path.startswith(self._root + "/"):
            return await self.app(scope, receive, send)
        if path in self._open_paths or path.startswith(self._below_open_paths):
            return await self.app(scope, receive, send)
        return await self._guard(scope, path, receive, send)

    async def _guard(self, outer: Scope, path: str, receive: Receive, send: Send) -> None:
        headers = headers_of(outer)
        module, number = place_of(path, self._root)
        context = RequestContext(
            request_id=_id_of(headers, "x-request-id"),
            correlation_id=_id_of(headers, "x-correlation-id"),
            module=module,
            version=self._versions.get(number, INNER_VERSION),
        )
        outer[SCOPE_KEY] = context
        scope = {**outer, "path": path}
        with bound(request_id=context.request_id, correlation_id=context.correlation_id):
            await self._answer(scope, receive, send, headers, module, number, context)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        module: str,
        number: str,
        context: RequestContext,
    ) -> None:
        started = False

        async def send_with_ids(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _log(scope["method"], module, message["status"], context.caller)
                if context.status_code is not None:
                    metrics.answered(module, context.status_code)
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", context.request_id.encode("latin-1")),
                    (b"x-correlation-id", context.correlation_id.encode("latin-1")),
                ]
                if module not in CONFIGURATION_MODULES:
                    message["headers"] += context.routing.answered()
            await send(message)

        try:
            context.caller = await self._admit(scope, headers, module, number)
            peer_id = context.caller.peer.peer_id
            bind(peer_id=peer_id)
            self._check_offered(number, context.caller)
            if module not in CONFIGURATION_MODULES:
                _check_role(module, context.caller)
                await self._route(headers, context.caller, context)
            async with self._limits.admitted(peer_id, module):
                bounded = bounded_receive(scope, receive, self._max_body_bytes, _too_large)
                with acting_as(_actor(peer_id)):
                    await self.app(scope, bounded, send_with_ids)
        except Exception as error:  # the process must not die of a request; it is logged there
            if started:
                raise
            await error_answer(error, context.version)(scope, receive, send_with_ids)

    async def _admit(
        self, scope: Scope, headers: Mapping[str, str], module: str, number: str
    ) -> Caller:
        header, address = headers.get("authorization"), (scope.get("client") or ("",))[0]
        spoken_here = self._spoken_at(module, number)
        caller = self._authenticator.held(header)
        if caller is None or address not in caller.let_in_at:
            caller = await self._look_up(header, address, spoken_here)
        if not _shown_rightly(caller, spoken_here):
            self._throttle.failed(address)
            form = "in Base64" if True in _forms(spoken_here) else "as it is, not in Base64"
            numbers = ", ".join(each.number for each in spoken_here)
            raise NotAuthorized(f"In OCPI {numbers} the credentials token is sent {form}")
        if address not in caller.let_in_at:
            self._throttle.succeeded(address, digest_of(header or ""))
            caller.let_in_at.add(address)
        if caller.kind == "A" and module not in _OPEN_TO_TOKEN_A:
            raise NotAuthorized(
                "CREDENTIALS_TOKEN_A is good for versions and credentials only: register first"
            )
        if caller.replaced and scope["method"] not in ("GET", "HEAD"):
            await self._authenticator.replaced_token_refused(caller.peer)
            raise NotAuthorized("This token has been replaced by a newer one: it may only read")
        return caller

    async def _look_up(
        self, header: str | None, address: str, spoken_here: Sequence[OcpiVersion]
    ) -> Caller:
        """Whose token it is, for whoever may try one."""
        if header is None:
            raise NotAuthorized(said_of_unknown(header, _forms(spoken_here)))
        # A token that was right here before is no guess, whoever else guesses at that address.
        try:
            if not self._throttle.knows(address, digest_of(header)):
                self._throttle.check(address)
        except TooManyFailures as error:
            raise TooManyRequests(str(error), error.retry_after_s) from None
        caller = await self._authenticator.caller(header)
        if caller is None:
            self._throttle.failed(address)
            raise NotAuthorized(said_of_unknown(header, _forms(spoken_here)))
        return caller

    def _spoken_at(self, module: str, number: str) -> Sequence[OcpiVersion]:
        """The versions in one of which the request is made: all while none is chosen, and where no
        version is named that there is, for there is nothing but a 404."""
        named = self._versions.get(number)
        if named is None or module in _BEFORE_A_VERSION_IS_CHOSEN:
            return tuple(self._versions.values())
        return (named,)

    def _check_offered(self, number: str, caller: Caller) -> None:
        """Raises NotFound for a version that the operator does not offer to this peer."""
        settings = caller.peer.settings
        if number in self._versions and number not in offered_to(settings, self._versions):
            raise NotFound(f"OCPI {number} is not offered to you")

    async def _route(
        self, headers: Mapping[str, str], caller: Caller, context: RequestContext
    ) -> None:
        context.audiences = [*caller.peer.audiences, *caller.peer.client_audiences]
        if not context.version.description.has_message_routing:
            return
        if caller.peer.quirks.get("ignore_routing"):
            return
        routing = Routing.of(headers)
        if routing.to_party is not None and routing.to_party.key not in self._parties:
            raise UnknownParty(
                f"OCPI-to: {'/'.join(routing.to_party)} is not a party of this platform"
            )
        sender = routing.from_party
        if sender is not None:
            audiences = await self._authenticator.audiences_for(caller.peer, sender.key)
            if audiences is None:
                raise UnknownParty(
                    f"OCPI-from: {'/'.join(sender)} is none of your credentials' roles"
                )
            context.audiences = audiences
        context.routing = routing


def _check_role(module: str, caller: Caller) -> None:
    """Raises NotFound for what is no business of a national access point's."""
    if module not in access_points.MODULES and is_access_point(caller.peer.roles):
        raise NotFound(f"{module} are not for a national access point: its role is NAP alone")


def _shown_rightly(caller: Caller, spoken_here: Sequence[OcpiVersion]) -> bool:
    """Whether the token was sent as one of the versions has it, or as the peer is known to."""
    if not caller.encoded and caller.peer.quirks.get("raw_token"):
        return True
    return caller.encoded in _forms(spoken_here)


def _forms(spoken_here: Sequence[OcpiVersion]) -> set[bool]:
    """Whether tokens are encoded there; both where either will do."""
    return {each.description.encodes_tokens for each in spoken_here}


@lru_cache(maxsize=1024)
def _actor(peer_id: str) -> Actor:
    return Actor(ActorKind.PEER, peer_id)


def _too_large(limit_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit_bytes} bytes")


def _log(method: str, module: str, http_status: int, caller: Caller | None) -> None:
    """What was asked and answered. Not the path: it may hold a driver's card; and of a stranger
    nothing that he wrote."""
    if caller is None:
        facts = {"event": "ocpi.stranger_refused", "facts": {"status": http_status}}
        logger.info("a stranger was refused: HTTP %d", http_status, extra={**RATIONED, **facts})
        return
    quiet = method in _READS and http_status < 400
    level = logging.DEBUG if quiet else logging.INFO
    # Reads are told at DEBUG alone, and most of them not at all.
    if logger.isEnabledFor(level):
        log_event(
            logger,
            "ocpi.request",
            "%s %s: HTTP %d",
            method,
            module,
            http_status,
            level=level,
            method=method,
            module=module,
            status=http_status,
        )


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; of a repeated one the first counts."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in reversed(scope["headers"])
    }


def _id_of(headers: Mapping[str, str], name: str) -> str:
    """The id that the peer gave, if it can stand in a header again; else a new one."""
    return usable_id(headers.get(name)) or str(uuid.uuid4())


def plain_path(path: str) -> str:
    """Doubled slashes collapsed, none at the end: peers build URLs in every way there is."""
    if "//" in path:
        path = re.sub(r"/{2,}", "/", path)
    return path.rstrip("/") or "/"


def place_of(path: str, root: str) -> tuple[str, str]:
    """The module that a plain path belongs to ("versions", "details", "locations", ...), and the
    version that it names, maybe one that we do not speak; "" for none."""
    parts = path[len(root) :].strip("/").split("/")
    if parts[0] != "cpo":
        return parts[-1], parts[0]
    return parts[2] if len(parts) > 2 else "", parts[1] if len(parts) > 1 else ""
