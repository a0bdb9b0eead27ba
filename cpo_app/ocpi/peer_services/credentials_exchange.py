"""What every handshake needs, whoever began it: the peer's endpoints found, credentials sent, roles
checked, a leave taken.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import orjson

from auth.authenticator import OcpiAuthenticator
from cpo_app.log_ids import bound
from cpo_app.ocpi.offered import offered_versions
from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.peer_services.credentials_object import own_credentials, read_credentials
from cpo_app.ocpi.peer_services.handshake import Discovered, discover
from cpo_app.settings import Settings
from db_interface.json_data import JsonMapping, JsonObject
from domain.errors import (
    InvalidParameters,
    NoMatchingEndpoints,
    OcpiError,
    UnableToUseClientApi,
)
from domain.exchanges.exchange import Subject
from domain.log_events import log_event
from domain.peers import claims, required_modules
from domain.peers.claims import PartyTaken
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED, SUSPENDED
from domain.peers.terms import party_of
from domain.schemas import SchemaError
from domain.versions import (
    INNER_VERSION,
    OcpiVersion,
    Unconvertible,
)
from domain.views.in_use import look_again

REGISTERED = (CONNECTED, SUSPENDED)

logger = logging.getLogger("cpo.peers")


class CredentialsExchange:
    """`peers`, `settings` and what asks other platforms, for registration.py (the peer calls us),
    joining.py (we call it) and renewal.py (new tokens, endpoints, versions)."""

    def __init__(
        self,
        settings: Settings,
        peers: Peers,
        client: PeerClient,
        authenticator: OcpiAuthenticator | None = None,
    ) -> None:
        self.settings = settings
        self.peers = peers
        self._client = client
        self._authenticator = authenticator
        self.offered = offered_versions(settings)

    def credentials(self, token: str, form: OcpiVersion = INNER_VERSION) -> JsonObject:
        """Our credentials object with a token for the other side."""
        return own_credentials(self.settings, token, form)

    async def discovered(
        self, versions_url: str, token: str, raw_token: bool, among: Sequence[OcpiVersion]
    ) -> Discovered:
        return await discover(
            self._client,
            versions_url,
            token,
            raw_token=raw_token,
            timeout_s=self.settings.CPO_PEER_TIMEOUT_S,
            among=among,
        )

    async def discover(
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
                    timeout_s=self.settings.CPO_PEER_TIMEOUT_S,
                    among=among,
                    spoken=spoken,
                )
        except OcpiError as error:
            await self.peers.failed(peer.peer_id, str(error), self.peers.now())
            raise

    async def send(
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
                timeout_s=self.settings.CPO_PEER_TIMEOUT_S * 3,
                about=Subject(module="credentials", version=found.version.number),
            )
            return read_credentials(found.version, answer.data())
        except PeerUnusable as error:
            raise UnableToUseClientApi(f"{method} credentials: {error.reason}") from error
        except (SchemaError, Unconvertible) as error:
            raise UnableToUseClientApi(f"{method} credentials: answer unusable: {error}") from error

    async def part(self, url: str, token: str, *, raw_token: bool) -> bool:
        """DELETE credentials: whether the peer took it. If not, it is gone for us and gets 401."""
        try:
            answer = await self._client.request(
                "DELETE",
                url,
                token=token,
                raw_token=raw_token,
                timeout_s=self.settings.CPO_PEER_TIMEOUT_S,
                about=Subject(module="credentials"),
            )
            answer.data()
        except PeerUnusable:
            return False
        return True

    async def check_roles(self, peer_id: str, roles: Sequence[JsonMapping]) -> None:
        """Raises InvalidParameters for roles that the peer cannot have whatever the operator says:
        ours, another peer's (asked again where they are stored), or one twice."""
        seen = set()
        for role in roles:
            key = (role["role"], role["country_code"].lower(), role["party_id"].lower())
            if key in seen:
                raise InvalidParameters(f"roles: {'/'.join(key)} is listed twice")
            seen.add(key)
            ours = f"{key[1]}*{key[2]}"
            if role["role"] == "CPO" and ours in {party.key for party in self.settings.parties}:
                raise InvalidParameters(f"roles: {'/'.join(key)} is a party of this platform")
        try:
            for role in roles:
                await claims.check_free(self.peers.db, party_of(role), peer_id)
        except PartyTaken as error:
            raise taken(error) from error

    def registered(self, peer: Peer) -> Peer:
        if peer.status not in REGISTERED:
            raise InvalidParameters(f"peer {peer.peer_id} is not connected")
        return peer

    def forget(self) -> None:
        """What this process remembers of peers is of before."""
        look_again(self.peers.db)
        if self._authenticator is not None:
            self._authenticator.forget()


def log_failure(peer_id: str | None, whose: str, error: BaseException) -> None:
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


def check_modules(settings: JsonMapping, found: Discovered) -> None:
    """Raises NoMatchingEndpoints where what the operator demands of the peer is missing."""
    required = required_modules.modules_required_of({"settings": settings})
    if lacking := required_modules.missing(required, found.stored()):
        raise NoMatchingEndpoints(f"Missing among your endpoints: {', '.join(lacking)}")


def taken(error: PartyTaken) -> InvalidParameters:
    """What a peer is told; who the other platform is, is not its business."""
    return InvalidParameters(
        f"roles: {claims.shown(error.party)} is registered by another platform; "
        "ask our operator to let it go first"
    )


def says_no(error: PeerUnusable) -> bool:
    """Whether the peer has understood us and does not want to: its invitation is used up, say."""
    if error.http_status is None:
        return False
    return error.kind == "ocpi_status" or (
        400 <= error.http_status < 500 and error.http_status != 429
    )


def surely_refused(error: PeerUnusable) -> bool:
    """Whether the peer has surely not taken our credentials over."""
    return error.sent is False or error.kind == "ocpi_status"
