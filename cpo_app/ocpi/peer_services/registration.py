"""The credentials module's meaning as receiver: a peer registers, renews its credentials, leaves.

A handshake is stored in one write, after everything else has worked: a failed one leaves the
invitation usable and nothing half-stored. No rotation can lock anybody out: the old and the
new token both work until the new one is first used, or a grace time ends.
"""

from __future__ import annotations

from typing import Any

from cpo_app.ocpi.peer_services.credentials_exchange import (
    REGISTERED,
    CredentialsExchange,
    check_modules,
    log_failure,
    taken,
)
from cpo_app.ocpi.peer_services.credentials_object import facts_of, read_credentials
from db_interface.json_data import JsonMapping, JsonObject
from domain.errors import (
    MethodNotAllowed,
    OcpiError,
)
from domain.peers.claims import PartyTaken
from domain.peers.peer import Peer
from domain.secrets import new_token
from domain.versions import (
    INNER_VERSION,
    OcpiVersion,
)


class Registration:
    """Its get, create, update, delete are the Crud contract's. `form` is the version of the
    endpoint that is called: it becomes the one that we and the peer speak (credentials, 7.2.3), and
    what its object looks like."""

    def __init__(self, exchange: CredentialsExchange) -> None:
        self._exchange = exchange
        self._peers = exchange.peers

    async def get(
        self, token: str, *, auth_token: str, form: OcpiVersion = INNER_VERSION, **_: Any
    ) -> JsonObject:
        """Our credentials for the caller; the token in them is the one that it has used."""
        return self._exchange.credentials(auth_token, form)

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
        if peer.status in REGISTERED and not again:
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
        if peer.status not in REGISTERED:
            raise MethodNotAllowed("Not registered yet: use POST to register")
        grace_s = self._exchange.settings.CPO_ROTATION_GRACE_S
        return await self._accept(peer, data, auth_token, form, grace_s=grace_s)

    async def delete(self, _id: Any, *, peer_id: str, **_: Any) -> None:
        """DELETE: unregister the peer; its token is dead at once."""
        peer = await self._peers.get(peer_id)
        if peer.status not in REGISTERED:
            raise MethodNotAllowed("Not registered")
        await self._peers.disconnect(peer_id, self._peers.now())
        self._exchange.forget()

    async def _accept(
        self,
        peer: Peer,
        given: JsonMapping,
        presented: str,
        form: OcpiVersion,
        *,
        grace_s: float,
    ) -> JsonObject:
        data = read_credentials(form, given)
        invited = self._peers.invited_by(peer, presented)
        try:
            await self._exchange.check_roles(peer.peer_id, data["roles"])
            found = await self._exchange.discover(peer, data["url"], data["token"], [form])
            check_modules(peer.settings, found)
        except OcpiError as error:
            log_failure(peer.peer_id, "the peer began it", error)
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
                **facts_of(found, data),
            )
        except PartyTaken as error:
            raise taken(error) from error
        if not stored:
            raise MethodNotAllowed("Another registration with this token came first")
        self._exchange.forget()
        return self._exchange.credentials(token, form)
