"""Bringing a peer to the present state of one object: which requests, in which order.

It raises PeerUnusable when the peer has not got there, and decides nothing about when to try
again. Nothing is remembered between two calls.
"""

from __future__ import annotations

from dataclasses import dataclass

from cpo_app.ocpi.peer_client.client import PeerAnswer, PeerClient, PeerUnusable, RoutingHeaders
from cpo_app.ocpi.push import requests
from cpo_app.ocpi.push.addressing import owner_of, routing
from cpo_app.ocpi.push.failures import knows_no_part, says_not_there
from cpo_app.ocpi.push.requests import Request
from domain.exchanges.subjects import subject_of
from domain.outbox.due_marks import Mark, Present
from domain.outbox.marks import reader_of
from domain.peers.peer import Peer
from domain.visibility import may_see


@dataclass(frozen=True)
class PeerChannel:
    """A peer with the token that we present to it, and how long it may take to answer."""

    client: PeerClient
    peer: Peer
    token: str
    timeout_s: float

    async def ask(
        self,
        request: Request,
        headers: RoutingHeaders | None,
        *,
        request_id: str | None = None,
    ) -> PeerAnswer:
        """The answer, if it is an OCPI success. Raises PeerUnusable."""
        answer = await self.client.request(
            request.method,
            request.url,
            token=self.token,
            raw_token=self.peer.takes_raw_tokens,
            body=request.body,
            routing=headers,
            request_id=request_id,
            timeout_s=self.timeout_s,
            about=subject_of(self.peer, request.url),
        )
        answer.data()
        return answer

    def leads_to_where(self, other: PeerChannel) -> bool:
        """Whether both are the same addresses, with the same token, in the same version."""
        here, there = self.peer, other.peer
        return (here.form, here.endpoints, self.token) == (
            there.form,
            there.endpoints,
            other.token,
        )

    def sees(self, module: str, state: Present) -> bool:
        reader = reader_of(self.peer.document)
        return may_see(module, reader, state.audience, state.has, state.groups)

    def headers(self, mark: Mark, state: Present | None) -> RoutingHeaders | None:
        if not self.peer.form.description.has_message_routing:
            return None
        if state is not None:
            return routing(self.peer, mark.module, state.audience, owner_of(state.fields))
        if mark.identity is not None:
            return routing(self.peer, mark.module, "", owner_of(mark.identity))
        return None


async def bring_up_to_date(channel: PeerChannel, mark: Mark, state: Present | None) -> None:
    """Send what is missing of a location, tariff or session; nothing if nothing is to be sent.

    Raises PeerUnusable, ValueError for an object that cannot be addressed.
    """
    endpoint = channel.peer.endpoint(mark.module, "RECEIVER")
    if endpoint is None:
        return
    if state is None or state.raw is None or not channel.sees(mark.module, state):
        await _take_away(channel, endpoint, mark, state)
        return
    headers = channel.headers(mark, state)
    changed = requests.parts(endpoint, mark, state, channel.peer)
    if changed is not None:
        try:
            for request in changed:
                await channel.ask(request, headers)
            return
        except PeerUnusable as error:
            if not knows_no_part(error):
                raise
    await channel.ask(requests.whole(endpoint, mark, state), headers)


async def _take_away(
    channel: PeerChannel, endpoint: str, mark: Mark, state: Present | None
) -> None:
    removal = requests.removal(endpoint, mark, state, channel.peer.form)
    if removal is None:
        return
    headers = channel.headers(mark, state)
    if not mark.known and not await _has(channel, endpoint, mark, state):
        # It never had it: what is private now must not be shown just to be taken away.
        return
    try:
        await channel.ask(removal, headers)
    except PeerUnusable as error:
        if removal.method != "DELETE" or not knows_no_part(error):
            raise
        if await _has(channel, endpoint, mark, state):
            raise


async def _has(channel: PeerChannel, endpoint: str, mark: Mark, state: Present | None) -> bool:
    try:
        await channel.ask(requests.look(endpoint, mark, state), channel.headers(mark, state))
    except PeerUnusable as error:
        if says_not_there(error):
            return False
        raise
    return True
