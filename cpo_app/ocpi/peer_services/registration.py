"""Registration with peers: the credentials module's meaning, as receiver and as sender.

A handshake is stored in one write, after everything else has worked: a failed one leaves the
invitation usable and nothing half-stored. No rotation can lock anybody out: the old and the
new token both work until the new one is first used, or a grace time ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from auth.authenticator import OcpiAuthenticator
from cpo_app.log_ids import bind, bound
from cpo_app.ocpi.offered import offered_versions
from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.peer_services.handshake import Discovered, discover
from cpo_app.settings import Party, Settings
from db_interface.json_data import JsonMapping, JsonObject
from domain.errors import (
    InvalidParameters,
    MethodNotAllowed,
    NoMatchingEndpoints,
    OcpiError,
    UnableToUseClientApi,
)
from domain.exchanges.exchange import Subject
from domain.log_events import log_event
from domain.outbox.crash_points import crash_point
from domain.peers import claims, required_modules
from domain.peers.calls import Call
from domain.peers.claims import PartyTaken
from domain.peers.hub_credentials import parted
from domain.peers.offered_versions import offered_to
from domain.peers.peers import Peer, Peers
from domain.peers.statuses import CONNECTED, SUSPENDED
from domain.peers.terms import Terms, party_of
from domain.schemas import SchemaError, validate
from domain.secrets import new_token
from domain.versions import (
    INNER_VERSION,
    Context,
    ObjectKind,
    OcpiVersion,
    Unconvertible,
    version_of,
)
from domain.versions import Party as NamedParty
from domain.views.in_use import look_again

_REGISTERED = (CONNECTED, SUSPENDED)


logger = logging.getLogger("cpo.peers")


def _log_failure(peer_id: str | None, whose: str, error: BaseException) -> None:
    log_event(
        logger,
        "peer.handshake_failed",
        "peer %s: a handshake failed (%s): %s",
        peer_id or "not known yet",
        whose,
        error or type(error).__name__,
        level=logging.WARNING,
        peer_id=peer_id,
        why=str(error) or type(error).__name__,
    )


class Registration:
    """The credentials of both sides. Its get, create, update, delete are the Crud contract's."""

    def __init__(
        self,
        settings: Settings,
        peers: Peers,
        client: PeerClient,
        authenticator: OcpiAuthenticator | None = None,
    ) -> None:
        self._settings = settings
        self._peers = peers
        self._client = client
        self._authenticator = authenticator
        self._offered = offered_versions(settings)

    # -- as receiver: the peer calls our credentials endpoint ------------------------------

    # `form` is the version of the endpoint that is called: it becomes the one that we and the
    # peer speak (credentials, 7.2.3), and what its object looks like.

    async def get(
        self, token: str, *, auth_token: str, form: OcpiVersion = INNER_VERSION, **_: Any
    ) -> JsonObject:
        """Our credentials for the caller; the token in them is the one that it has used."""
        return self.credentials(auth_token, form)

    async def create(
        self,
        data: JsonMapping,
        *,
        auth_token: str,
        peer_id: str,
        form: OcpiVersion = INNER_VERSION,
        **_: Any,
    ) -> JsonObject:
        """POST: register the peer. Returns our credentials with its new token.

        Raises MethodNotAllowed when it is registered, OcpiError 3001 to 3003.
        """
        peer = await self._peers.get(peer_id)
        again = self._peers.invited_by(peer, auth_token)
        if peer.status in _REGISTERED and not again:
            raise MethodNotAllowed("Already registered: use PUT to update your credentials")
        return await self._accept(peer, data, auth_token, form, grace_s=0)

    async def update(
        self,
        data: JsonMapping,
        _id: Any,
        *,
        auth_token: str,
        peer_id: str,
        form: OcpiVersion = INNER_VERSION,
        **_: Any,
    ) -> JsonObject:
        """PUT: the peer's new credentials; it gets a new token, the old one stays for a while.

        Raises MethodNotAllowed when it is not registered, OcpiError 3001 to 3003.
        """
        peer = await self._peers.get(peer_id)
        if peer.status not in _REGISTERED:
            raise MethodNotAllowed("Not registered yet: use POST to register")
        grace_s = self._settings.CPO_ROTATION_GRACE_S
        return await self._accept(peer, data, auth_token, form, grace_s=grace_s)

    async def delete(self, _id: Any, *, peer_id: str, **_: Any) -> None:
        """DELETE: unregister the peer; its token is dead at once."""
        peer = await self._peers.get(peer_id)
        if peer.status not in _REGISTERED:
            raise MethodNotAllowed("Not registered")
        await self._peers.disconnect(peer_id, self._peers.now())
        self._forget()

    async def _accept(
        self,
        peer: Peer,
        given: JsonMapping,
        presented: str,
        form: OcpiVersion,
        *,
        grace_s: float,
    ) -> JsonObject:
        data = _read(form, given)
        invited = self._peers.invited_by(peer, presented)
        try:
            await self._check_roles(peer.peer_id, data["roles"])
            found = await self._discover(peer, data["url"], data["token"], [form])
            _check_modules(peer.settings, found)
        except OcpiError as error:
            _log_failure(peer.peer_id, "the peer began it", error)
            if invited:
                await self._peers.handshake_failed(peer.peer_id)
            raise
        token = new_token()
        try:
            stored = await self._peers.connect(
                peer.peer_id,
                our_token=token,
                their_token=data["token"],
                now=self._peers.now(),
                grace_s=grace_s,
                presented=presented,
                seen=peer.document.get("token_hashes", ()) if invited else None,
                **_facts(found, data),
            )
        except PartyTaken as error:
            raise _taken(error) from error
        if not stored:
            raise MethodNotAllowed("Another registration with this token came first")
        self._forget()
        return self.credentials(token, form)

    # -- as sender: we call theirs -----------------------------------------------------------

    async def connect(
        self,
        versions_url: str,
        token_a: str,
        name: str | None = None,
        raw_token: bool = False,
        terms: Terms = Terms(),
        modules: Sequence[str] = (),
    ) -> Peer:
        """Register with a platform that invited us. Returns the connected peer. `modules`: what
        it has to offer.

        The token that we give out (B) is admitted before it is sent: the peer calls back with
        it while it answers. Raises OcpiError; nothing of ours stays then. A platform that says
        it is a party of ours or of another peer's is taken leave of (DELETE credentials).
        """
        try:
            found = await self._discovered(versions_url, token_a, raw_token, self._offered)
        except OcpiError as error:
            _log_failure(None, "we began it", error)
            raise
        settings = {required_modules.SETTING: list(modules)} if modules else {}
        _check_modules(settings, found)
        now = self._peers.now()
        peer, token_b = await self._peers.invite(
            name or versions_url,
            now,
            terms,
            quirks={"raw_token": raw_token},
            settings=settings,
            calling=(versions_url, token_a),
        )
        bind(peer_id=peer.peer_id)
        crash_point("peer-to-be-called")
        try:
            theirs = await self._exchange("POST", found, token_a, token_b, raw_token)
        except (OcpiError, asyncio.CancelledError) as error:
            _log_failure(peer.peer_id, "we began it", error)
            await self._peers.remove(peer.peer_id)
            self._forget()
            raise
        crash_point("peer-answered")
        await self._peers.answered(
            peer.peer_id, found.credentials_url, theirs, found.version.number
        )
        crash_point("peer-answer-kept")
        return await self._complete(peer, token_b, theirs, found, name)

    async def finish(self, call: Call) -> Peer:
        """Go on with a registration of ours that was broken off. Where the platform has not
        answered it is asked once more: its invitation may still be good.

        Raises OcpiError: the peer is gone then if the registration is, else it may be tried again.
        """
        bind(peer_id=call.peer_id)
        peer = await self._peers.get(call.peer_id)
        raw_token = bool(peer.quirks.get("raw_token"))
        name = None if peer.name == call.versions_url else peer.name
        if call.theirs is not None:
            theirs = call.theirs
            spoken = [version_of(call.version or "") or INNER_VERSION]
            found = await self._discovered(theirs["url"], theirs["token"], raw_token, spoken)
            return await self._complete(peer, call.token_b, theirs, found, name)
        try:
            found = await self._discovered(
                call.versions_url, call.token_a, raw_token, self._offered
            )
            theirs = await self._exchange("POST", found, call.token_a, call.token_b, raw_token)
        except OcpiError as error:
            if isinstance(error.__cause__, PeerUnusable) and _says_no(error.__cause__):
                await self.undo(call)
            raise
        await self._peers.answered(
            peer.peer_id, found.credentials_url, theirs, found.version.number
        )
        return await self._complete(peer, call.token_b, theirs, found, name)

    async def undo(self, call: Call) -> None:
        """Take leave of the platform, as far as we have a token for it, and forget it."""
        peer = await self._peers.get(call.peer_id)
        if call.theirs is not None:
            form = version_of(call.version or "") or INNER_VERSION
            raw_token = peer.takes_raw_tokens_in(form)
            await self._part(call.credentials_url, call.theirs["token"], raw_token=raw_token)
        await self._peers.remove(call.peer_id)
        self._forget()

    async def _complete(
        self, peer: Peer, token_b: str, theirs: JsonObject, found: Discovered, name: str | None
    ) -> Peer:
        """The platform has registered us: read its endpoints with its token, and keep it."""
        raw_token = bool(peer.quirks.get("raw_token"))
        try:
            found = await self._discovered(
                theirs["url"], theirs["token"], raw_token, [found.version]
            )
            problem = None
            _check_modules(peer.settings, found)
        except NoMatchingEndpoints as error:
            # It has registered us, and its invitation is used up: keep what we have.
            problem = f"connected, but: {error}"
        except OcpiError as error:
            problem = f"connected, but its endpoints could not be read again: {error}"
        try:
            await self._check_roles(peer.peer_id, theirs["roles"])
            await self._peers.connect(
                peer.peer_id,
                our_token=token_b,
                their_token=theirs["token"],
                now=self._peers.now(),
                name=name or _name_of(theirs["roles"]),
                **_facts(found, theirs),
            )
        except (InvalidParameters, PartyTaken) as error:
            raw_token = peer.takes_raw_tokens_in(found.version)
            await self._part(found.credentials_url, theirs["token"], raw_token=raw_token)
            await self._peers.remove(peer.peer_id)
            self._forget()
            raise _taken(error) if isinstance(error, PartyTaken) else error from error
        self._forget()
        if problem is not None:
            await self._peers.failed(peer.peer_id, problem, self._peers.now())
        return await self._peers.get(peer.peer_id)

    async def _discovered(
        self, versions_url: str, token: str, raw_token: bool, among: Sequence[OcpiVersion]
    ) -> Discovered:
        return await discover(
            self._client,
            versions_url,
            token,
            raw_token=raw_token,
            timeout_s=self._settings.CPO_PEER_TIMEOUT_S,
            among=among,
        )

    async def refresh(self, peer_id: str) -> Peer:
        """Read the peer's versions and endpoints anew, and move to the highest version that both
        sides have, if that is another one. Raises OcpiError; then nothing changes but its last
        error.

        A move is a PUT of our credentials in the new version. Until the peer uses its new token
        both versions and both tokens are answered.
        """
        peer = self._registered(await self._peers.get(peer_id))
        numbers = offered_to(peer.settings, [version.number for version in self._offered])
        among = [version for version in self._offered if version.number in numbers]
        found = await self._discover(
            peer, str(peer.versions_url), self._peers.their_token(peer), among, peer.form
        )
        try:
            _check_modules(peer.settings, found)
        except NoMatchingEndpoints as error:
            await self._peers.failed(peer_id, str(error), self._peers.now())
            raise
        if found.version is not peer.form:
            return await self._exchange_tokens(peer, found)
        await self._peers.set(
            peer_id,
            self._peers.now(),
            version_url=found.version_url,
            endpoints=found.stored(),
            last_error=None,
        )
        return await self._peers.get(peer_id)

    async def rotate(self, peer_id: str) -> Peer:
        """Give the peer a new token and take its new one (PUT credentials).

        Both of ours work until the new one is first used. When the peer's answer is lost or
        bad, the old pair stays in force, and the new token of ours stays good for the grace
        time, or for good once it is used: the peer may have taken it over. When the peer has
        refused, the new one ends at once. Roles that it must not have are not taken over: the
        tokens are new, the roles those of before. The version stays. Raises OcpiError.
        """
        peer = self._registered(await self._peers.get(peer_id))
        their_token = self._peers.their_token(peer)
        found = await self._discover(peer, str(peer.versions_url), their_token, [peer.form])
        return await self._exchange_tokens(peer, found)

    async def _exchange_tokens(self, peer: Peer, found: Discovered) -> Peer:
        """PUT credentials, in the version that was found; as `rotate` says."""
        peer_id, their_token = peer.peer_id, self._peers.their_token(peer)
        raw_token = bool(peer.quirks.get("raw_token"))
        token = new_token()
        grace_s = self._settings.CPO_ROTATION_GRACE_S
        until = self._peers.now() + timedelta(seconds=grace_s)
        await self._peers.admit_also(peer_id, token, until, self._peers.now())
        self._forget()
        try:
            with bound(peer_id=peer_id):
                theirs = await self._exchange("PUT", found, their_token, token, raw_token)
        except OcpiError as error:
            if isinstance(error.__cause__, PeerUnusable) and _refused(error.__cause__):
                await self._peers.revoke(peer_id, token)
                self._forget()
            await self._peers.failed(peer_id, f"rotation: {error}", self._peers.now())
            raise
        facts = _facts(found, theirs)
        refused: InvalidParameters | None = None
        try:
            await self._check_roles(peer_id, theirs["roles"])
        except InvalidParameters as error:
            refused = error
            del facts["roles"], facts["clients"]
        try:
            await self._store_rotation(peer_id, token, theirs["token"], grace_s, facts)
        except PartyTaken as error:
            refused = _taken(error)
            del facts["roles"], facts["clients"]
            await self._store_rotation(peer_id, token, theirs["token"], grace_s, facts)
        self._forget()
        if refused is not None:
            await self._peers.failed(peer_id, f"rotation: {refused}", self._peers.now())
            raise refused
        return await self._peers.get(peer_id)

    async def _store_rotation(
        self, peer_id: str, ours: str, theirs: str, grace_s: float, facts: JsonObject
    ) -> None:
        """The tokens have changed on both sides, whatever becomes of the roles."""
        await self._peers.connect(
            peer_id,
            our_token=ours,
            their_token=theirs,
            now=self._peers.now(),
            grace_s=grace_s,
            **facts,
        )

    async def unregister(self, peer_id: str) -> bool:
        """Tell the peer that we part (DELETE credentials), as far as it listens, and forget it.

        Whether it was told: False also for one that never registered.
        """
        told = False
        bind(peer_id=peer_id)
        peer = await self._peers.get(peer_id)
        url = peer.endpoint("credentials", "RECEIVER") or peer.endpoint("credentials", "SENDER")
        if peer.status in _REGISTERED and url:
            told = await self._part(
                url, self._peers.their_token(peer), raw_token=peer.takes_raw_tokens
            )
        await self._peers.remove(peer_id)
        self._forget()
        return told

    async def _part(self, url: str, token: str, *, raw_token: bool) -> bool:
        """DELETE credentials: whether the peer took it. If not, it is gone for us and gets 401."""
        try:
            answer = await self._client.request(
                "DELETE",
                url,
                token=token,
                raw_token=raw_token,
                timeout_s=self._settings.CPO_PEER_TIMEOUT_S,
                about=Subject(module="credentials"),
            )
            answer.data()
        except PeerUnusable:
            return False
        return True

    def credentials(self, token: str, form: OcpiVersion = INNER_VERSION) -> JsonObject:
        """Our credentials object with a token for the other side (credentials 7.3.1); the
        platform's own party speaks for all where a version has only one."""
        inner = {
            "token": token,
            "url": self._settings.versions_url,
            "roles": [_role(party) for party in self._settings.parties],
        }
        own = self._settings.parties[0]
        context = Context(party=NamedParty(own.country_code, own.party_id))
        return form.render(ObjectKind.CREDENTIALS, inner, context).object

    async def _exchange(
        self, method: str, found: Discovered, token: str, ours: str, raw_token: bool
    ) -> JsonObject:
        """Send our credentials in the version that was found, return the peer's as inner ones.

        Raises UnableToUseClientApi.
        """
        try:
            answer = await self._client.request(
                method,
                found.credentials_url,
                token=token,
                raw_token=raw_token or not found.version.description.encodes_tokens,
                body=orjson.dumps(self.credentials(ours, found.version)),
                # The peer calls us back before it answers, and may be slow at it.
                timeout_s=self._settings.CPO_PEER_TIMEOUT_S * 3,
                about=Subject(module="credentials", version=found.version.number),
            )
            return _read(found.version, answer.data())
        except PeerUnusable as error:
            raise UnableToUseClientApi(f"{method} credentials: {error.reason}") from error
        except (SchemaError, Unconvertible) as error:
            raise UnableToUseClientApi(f"{method} credentials: answer unusable: {error}") from error

    async def _discover(
        self,
        peer: Peer,
        versions_url: str,
        token: str,
        among: Sequence[OcpiVersion],
        spoken: OcpiVersion | None = None,
    ) -> Discovered:
        try:
            with bound(peer_id=peer.peer_id):
                return await discover(
                    self._client,
                    versions_url,
                    token,
                    raw_token=bool(peer.quirks.get("raw_token")),
                    timeout_s=self._settings.CPO_PEER_TIMEOUT_S,
                    among=among,
                    spoken=spoken,
                )
        except OcpiError as error:
            await self._peers.failed(peer.peer_id, str(error), self._peers.now())
            raise

    def _registered(self, peer: Peer) -> Peer:
        if peer.status not in _REGISTERED:
            raise InvalidParameters(f"peer {peer.peer_id} is not connected")
        return peer

    async def _check_roles(self, peer_id: str, roles: Sequence[JsonMapping]) -> None:
        """Raises InvalidParameters for roles that the peer cannot have whatever the operator says:
        ours, another peer's (asked again where they are stored), or one twice."""
        seen = set()
        for role in roles:
            key = (role["role"], role["country_code"].lower(), role["party_id"].lower())
            if key in seen:
                raise InvalidParameters(f"roles: {'/'.join(key)} is listed twice")
            seen.add(key)
            ours = f"{key[1]}*{key[2]}"
            if role["role"] == "CPO" and ours in {party.key for party in self._settings.parties}:
                raise InvalidParameters(f"roles: {'/'.join(key)} is a party of this platform")
        try:
            for role in roles:
                await claims.check_free(self._peers.db, party_of(role), peer_id)
        except PartyTaken as error:
            raise _taken(error) from error

    def _forget(self) -> None:
        """What this process remembers of peers is of before."""
        look_again(self._peers.db)
        if self._authenticator is not None:
            self._authenticator.forget()


def _check_modules(settings: JsonMapping, found: Discovered) -> None:
    """Raises NoMatchingEndpoints where what the operator demands of the peer is missing."""
    required = required_modules.modules_required_of({"settings": settings})
    if lacking := required_modules.missing(required, found.stored()):
        raise NoMatchingEndpoints(f"Missing among your endpoints: {', '.join(lacking)}")


def _taken(error: PartyTaken) -> InvalidParameters:
    """What a peer is told; who the other platform is, is not its business."""
    return InvalidParameters(
        f"roles: {claims.shown(error.party)} is registered by another platform; "
        "ask our operator to let it go first"
    )


def _says_no(error: PeerUnusable) -> bool:
    """Whether the peer has understood us and does not want to: its invitation is used up, say."""
    if error.http_status is None:
        return False
    return error.kind == "ocpi_status" or (
        400 <= error.http_status < 500 and error.http_status != 429
    )


def _refused(error: PeerUnusable) -> bool:
    """Whether the peer has surely not taken our credentials over."""
    return error.sent is False or error.kind == "ocpi_status"


def _read(form: OcpiVersion, given: object) -> JsonObject:
    """A peer's credentials as inner ones: its own roles, and a hub's `clients` apart."""
    inner = form.read(ObjectKind.CREDENTIALS, given).object
    said = validate(form.models[ObjectKind.CREDENTIALS], given)
    roles, clients = parted(inner["roles"], said.get("hub_party_id"))
    return {**inner, "roles": roles, "clients": clients}


def _facts(found: Discovered, credentials: JsonMapping) -> JsonObject:
    return {
        "versions_url": credentials["url"],
        "version": found.version.number,
        "version_url": found.version_url,
        "endpoints": found.stored(),
        "roles": list(credentials["roles"]),
        "clients": credentials.get("clients"),
    }


def _role(party: Party) -> JsonObject:
    return {
        "role": "CPO",
        "business_details": {"name": party.name},
        "party_id": party.party_id,
        "country_code": party.country_code,
    }


def _name_of(roles: Sequence[JsonMapping]) -> str:
    name: str = roles[0]["business_details"]["name"]
    return name
