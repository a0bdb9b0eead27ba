"""A connected peer's endpoints, version and tokens are renewed."""

from __future__ import annotations

from datetime import timedelta

from cpo_app.log_ids import bound
from cpo_app.ocpi.peer_client.client import PeerUnusable
from cpo_app.ocpi.peer_services.credentials_exchange import (
    CredentialsExchange,
    check_modules,
    surely_refused,
    taken,
)
from cpo_app.ocpi.peer_services.credentials_object import facts_of
from cpo_app.ocpi.peer_services.handshake import Discovered
from db_interface.json_data import JsonObject
from domain.errors import (
    InvalidParameters,
    NoMatchingEndpoints,
    OcpiError,
)
from domain.peers.claims import PartyTaken
from domain.peers.offered_versions import offered_to
from domain.peers.peer import Peer
from domain.secrets import new_token


class Renewal:
    """No rotation can lock anybody out: the old and the new token both work until the new one is
    first used, or a grace time ends."""

    def __init__(self, exchange: CredentialsExchange) -> None:
        self._exchange = exchange
        self._peers = exchange.peers

    async def refresh(self, peer_id: str) -> Peer:
        """Read the peer's versions and endpoints anew, and move to the highest version that both
        sides have, if that is another one. Raises OcpiError; then nothing changes but its last
        error.

        A move is a PUT of our credentials in the new version. Until the peer uses its new token
        both versions and both tokens are answered.
        """
        peer = _by_handshake(self._exchange.registered(await self._peers.get(peer_id)))
        numbers = offered_to(peer.settings, [version.number for version in self._exchange.offered])
        among = [version for version in self._exchange.offered if version.number in numbers]
        found = await self._exchange.discover(
            peer, str(peer.versions_url), self._peers.their_token(peer), among, peer.form
        )
        try:
            check_modules(peer.settings, found)
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
        peer = _by_handshake(self._exchange.registered(await self._peers.get(peer_id)))
        their_token = self._peers.their_token(peer)
        found = await self._exchange.discover(
            peer, str(peer.versions_url), their_token, [peer.form]
        )
        return await self._exchange_tokens(peer, found)

    async def _exchange_tokens(self, peer: Peer, found: Discovered) -> Peer:
        """PUT credentials, in the version that was found; as `rotate` says."""
        peer_id, their_token = peer.peer_id, self._peers.their_token(peer)
        raw_token = bool(peer.quirks.get("raw_token"))
        token = new_token()
        grace_s = self._exchange.settings.CPO_ROTATION_GRACE_S
        until = self._peers.now() + timedelta(seconds=grace_s)
        await self._peers.admit_also(peer_id, token, until, self._peers.now())
        self._exchange.forget()
        try:
            with bound(peer_id=peer_id):
                theirs = await self._exchange.send("PUT", found, their_token, token, raw_token)
        except OcpiError as error:
            if isinstance(error.__cause__, PeerUnusable) and surely_refused(error.__cause__):
                await self._peers.revoke(peer_id, token)
                self._exchange.forget()
            await self._peers.failed(peer_id, f"rotation: {error}", self._peers.now())
            raise
        facts = facts_of(found, theirs)
        refused: InvalidParameters | None = None
        try:
            await self._exchange.check_roles(peer_id, theirs["roles"])
        except InvalidParameters as error:
            refused = error
            del facts["roles"], facts["clients"]
        try:
            await self._store_rotation(peer_id, token, theirs["token"], grace_s, facts)
        except PartyTaken as error:
            refused = taken(error)
            del facts["roles"], facts["clients"]
            await self._store_rotation(peer_id, token, theirs["token"], grace_s, facts)
        self._exchange.forget()
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


def _by_handshake(peer: Peer) -> Peer:
    """Raises InvalidParameters for one whose tokens came by letter."""
    if peer.versions_url is None:
        raise InvalidParameters(
            f"{peer.peer_id} was added by hand and has no versions URL: remove it and add it anew"
        )
    return peer
