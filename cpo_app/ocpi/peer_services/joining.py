"""We register with a platform, and part from it: the credentials module's meaning as sender."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cpo_app.log_ids import bind
from cpo_app.ocpi.peer_client.client import PeerUnusable
from cpo_app.ocpi.peer_services.credentials_exchange import (
    REGISTERED,
    CredentialsExchange,
    check_modules,
    log_failure,
    says_no,
    taken,
)
from cpo_app.ocpi.peer_services.credentials_object import facts_of, name_of
from cpo_app.ocpi.peer_services.handshake import Discovered
from db_interface.json_data import JsonObject
from domain.errors import (
    InvalidParameters,
    NoMatchingEndpoints,
    OcpiError,
)
from domain.outbox.crash_points import crash_point
from domain.peers import required_modules
from domain.peers.calls import Call
from domain.peers.claims import PartyTaken
from domain.peers.peer import Peer
from domain.peers.terms import Terms
from domain.versions import (
    INNER_VERSION,
    version_of,
)


class Joining:
    """A registration that a dead process has left half done is finished or undone
    (unfinished_calls.py)."""

    def __init__(self, exchange: CredentialsExchange) -> None:
        self._exchange = exchange
        self._peers = exchange.peers

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
            found = await self._exchange.discovered(
                versions_url, token_a, raw_token, self._exchange.offered
            )
        except OcpiError as error:
            log_failure(None, "we began it", error)
            raise
        settings = {required_modules.SETTING: list(modules)} if modules else {}
        check_modules(settings, found)
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
            theirs = await self._exchange.send("POST", found, token_a, token_b, raw_token)
        except (OcpiError, asyncio.CancelledError) as error:
            log_failure(peer.peer_id, "we began it", error)
            await self._peers.remove(peer.peer_id)
            self._exchange.forget()
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
            found = await self._exchange.discovered(
                theirs["url"], theirs["token"], raw_token, spoken
            )
            return await self._complete(peer, call.token_b, theirs, found, name)
        try:
            found = await self._exchange.discovered(
                call.versions_url, call.token_a, raw_token, self._exchange.offered
            )
            theirs = await self._exchange.send("POST", found, call.token_a, call.token_b, raw_token)
        except OcpiError as error:
            if isinstance(error.__cause__, PeerUnusable) and says_no(error.__cause__):
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
            await self._exchange.part(
                call.credentials_url, call.theirs["token"], raw_token=raw_token
            )
        await self._peers.remove(call.peer_id)
        self._exchange.forget()

    async def _complete(
        self, peer: Peer, token_b: str, theirs: JsonObject, found: Discovered, name: str | None
    ) -> Peer:
        """The platform has registered us: read its endpoints with its token, and keep it."""
        raw_token = bool(peer.quirks.get("raw_token"))
        try:
            found = await self._exchange.discovered(
                theirs["url"], theirs["token"], raw_token, [found.version]
            )
            problem = None
            check_modules(peer.settings, found)
        except NoMatchingEndpoints as error:
            # It has registered us, and its invitation is used up: keep what we have.
            problem = f"connected, but: {error}"
        except OcpiError as error:
            problem = f"connected, but its endpoints could not be read again: {error}"
        try:
            await self._exchange.check_roles(peer.peer_id, theirs["roles"])
            await self._peers.connect(
                peer.peer_id,
                our_token=token_b,
                their_token=theirs["token"],
                now=self._peers.now(),
                name=name or name_of(theirs["roles"]),
                **facts_of(found, theirs),
            )
        except (InvalidParameters, PartyTaken) as error:
            raw_token = peer.takes_raw_tokens_in(found.version)
            await self._exchange.part(found.credentials_url, theirs["token"], raw_token=raw_token)
            await self._peers.remove(peer.peer_id)
            self._exchange.forget()
            raise taken(error) if isinstance(error, PartyTaken) else error from error
        self._exchange.forget()
        if problem is not None:
            await self._peers.failed(peer.peer_id, problem, self._peers.now())
        return await self._peers.get(peer.peer_id)

    async def unregister(self, peer_id: str) -> bool:
        """Tell the peer that we part (DELETE credentials), as far as it listens, and forget it.

        Whether it was told: False also for one that never registered.
        """
        told = False
        bind(peer_id=peer_id)
        peer = await self._peers.get(peer_id)
        url = peer.endpoint("credentials", "RECEIVER") or peer.endpoint("credentials", "SENDER")
        if peer.status in REGISTERED and url:
            told = await self._exchange.part(
                url, self._peers.their_token(peer), raw_token=peer.takes_raw_tokens
            )
        await self._peers.remove(peer_id)
        self._exchange.forget()
        return told
