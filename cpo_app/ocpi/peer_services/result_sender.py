"""Results of commands and charging profiles go to peers through here, and nowhere else.

A response_url is a peer's word, and our token for that peer goes with what is sent to it: so it
must lie at the same host and port as the peer's registered URLs. That is checked when the
request comes (2001) and again when the result goes out (the peer may have moved meanwhile).
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable, RoutingHeaders
from cpo_app.outgoing.url_guard import UrlRefused, check_url, same_place
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import party_key
from domain.commands.command_delivery import Delivery, NotDelivered
from domain.errors import InvalidParameters
from domain.exchanges.document import place_in
from domain.exchanges.exchange import Subject
from domain.exchanges.subjects import subject_of
from domain.peers.peer import Peer
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED, SUSPENDED
from domain.secrets import SecretUnusable
from domain.versions import ObjectKind, OcpiVersion, version_of

MAX_S = 10.0
_RETRY_HTTP = frozenset({408, 425, 429})


def _body(delivery: Delivery, form: OcpiVersion) -> JsonMapping:
    """The result as that version has it. Those of charging profiles are the same in all that
    have them."""
    if form.has(ObjectKind.CHARGING_PROFILE_RESULT):
        return delivery.body
    return form.render(ObjectKind.COMMAND_RESULT, delivery.body).object


def _about(peer: Peer, url: str, delivery: Delivery, form: OcpiVersion) -> Subject:
    """What it is found by: the URL is the peer's, and need not name the module."""
    known = subject_of(peer, url, delivery.request_id, version=form.number)
    module = known.module or delivery.module or place_in(url)[0] or "commands"
    return replace(known, module=module)


class ResultSender:
    """`check` is the intake's CheckUrl, `deliver` the worker's Deliver."""

    def __init__(self, peers: Peers, client: PeerClient, *, allow_private: bool = False) -> None:
        self._peers = peers
        self._client = client
        self._allow_private = allow_private

    async def check(self, peer_id: str, url: str) -> None:
        """Raises InvalidParameters unless results for the peer may go to `url`."""
        try:
            peer = await self._peers.get(peer_id)
        except UnknownPeer as error:
            raise InvalidParameters(str(error)) from None
        problem = self._problem(peer, url)
        if problem is not None:
            raise InvalidParameters(f"response_url: {problem}")

    async def deliver(self, delivery: Delivery) -> None:
        """Send it once. An answer of HTTP 2xx counts as taken, whatever OCPI status it bears:
        the peer has it, and says so. Raises NotDelivered."""
        try:
            peer = await self._peers.get(delivery.peer_id)
        except UnknownPeer:
            raise NotDelivered("the peer was removed", again=False) from None
        if peer.status not in (CONNECTED, SUSPENDED):
            raise NotDelivered(f"the peer is {peer.status}", again=False)
        url = self._url(peer, delivery)
        # A command's result goes in the version of the command, whatever we speak by now.
        form = version_of(delivery.version or "") or peer.form
        unreachable = await self._peers.unreachable_behind(peer.peer_id) if peer.is_hub else ()
        if party_key(*delivery.to_party) in unreachable:
            raise NotDelivered("the party is not online, says its hub", again=True)
        try:
            token = self._peers.their_token(peer)
        except SecretUnusable:
            raise NotDelivered("the peer's token cannot be opened", again=True) from None
        try:
            answer = await self._client.request(
                delivery.method,
                url,
                token=token,
                raw_token=peer.takes_raw_tokens_in(form),
                body=orjson.dumps(_body(delivery, form)),
                routing=RoutingHeaders(*delivery.from_party, *delivery.to_party)
                if form.description.has_message_routing
                else None,
                correlation_id=delivery.correlation_id,
                request_id=delivery.request_id,
                timeout_s=min(MAX_S, delivery.within_s),
                about=_about(peer, url, delivery, form),
            )
        except PeerUnusable as error:
            again = error.kind != "refused_url"
            raise NotDelivered(error.reason, again=again) from None
        except ValueError as error:
            raise NotDelivered(str(error), again=False) from None
        if not 200 <= answer.http_status <= 299:
            final = 300 <= answer.http_status <= 499 and answer.http_status not in _RETRY_HTTP
            raise NotDelivered(
                f"the peer answered HTTP {answer.http_status}",
                again=not final,
                retry_after_s=answer.retry_after_s,
            )

    def _url(self, peer: Peer, delivery: Delivery) -> str:
        if delivery.url is None:
            endpoint = peer.endpoint(delivery.module or "", "SENDER")
            if endpoint is None:
                raise NotDelivered(f"the peer has no {delivery.module} SENDER", again=False)
            return f"{endpoint.rstrip('/')}/{delivery.path}"
        problem = self._problem(peer, delivery.url)
        if problem is not None:
            raise NotDelivered(problem, again=False)
        return delivery.url

    def _problem(self, peer: Peer, url: str) -> str | None:
        """What is wrong with sending the peer's token to `url`; None: nothing."""
        try:
            target = check_url(url, allow_private=self._allow_private)
        except UrlRefused as error:
            return str(error)
        known = [peer.versions_url, peer.version_url, *(row["url"] for row in peer.endpoints)]
        for one in filter(None, known):
            try:
                if same_place(check_url(one, allow_private=self._allow_private), target):
                    return None
            except UrlRefused:
                continue
        return "is not at the host of your registered endpoints"
