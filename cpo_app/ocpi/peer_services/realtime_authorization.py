"""Real-time authorization at eMSPs (mod_tokens, POST authorize), as the Authorizer asks.

POST {their tokens sender URL}/{uid}/authorize?type=, with token B, routing headers and the
LocationReferences. What an answer means is not known here; a peer's fault is an answer that
did not come, kept for the operator. Never logs a token or its uid.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote, urlsplit

import orjson

from cpo_app.ocpi.peer_client.client import PeerAnswer, PeerClient, PeerUnusable, RoutingHeaders
from db_interface.owned_objects import party_key
from domain.authorization.authorization_answer import Question
from domain.authorization.emsps import Emsp, Reply
from domain.exchanges.subjects import subject_of
from domain.peers.found_by import hubs
from domain.peers.peer import Peer
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED, SUSPENDED
from domain.peers.switches import ASK_UNKNOWN
from domain.schemas import SchemaError
from domain.secrets import SecretUnusable
from domain.versions import ObjectKind, OcpiVersion, Unconvertible

logger = logging.getLogger("cpo.authorization")

UNKNOWN_TOKEN = 2004
MAX_ASKED = 50
"""eMSPs asked for one unknown card; further ones are left out, and it is said so."""

MaySpeakFor = Callable[[Peer, str], Awaitable[bool]]
"""OcpiAuthenticator.may_speak_for: whether a (folded) party's objects are the peer's to bring."""


class RealtimeAuthorization:
    """`domain.authorization.emsps.Emsps` on the registered peers."""

    def __init__(self, peers: Peers, client: PeerClient, may_speak_for: MaySpeakFor) -> None:
        self._peers = peers
        self._client = client
        self._may_speak_for = may_speak_for

    async def behind(self, country_code: str, party_id: str) -> Emsp | None:
        """The party's own peer, else a hub. A suspended peer's tokens hold; it is not called."""
        party = party_key(country_code, party_id)
        own = await self._peers.all(parties=party, status={"$in": [CONNECTED, SUSPENDED]})
        hubs = [] if own else await self._hubs_of(party)
        ranked = [
            Emsp(peer.peer_id, (country_code, party_id), await self._reaches(peer, party))
            for peer in own or hubs
        ]
        # A party that has two peers is asked at the one that can be.
        return min(ranked, key=lambda emsp: not emsp.can_be_asked, default=None)

    async def _hubs_of(self, party: str) -> list[Peer]:
        registered = await hubs(self._peers.db, (CONNECTED, SUSPENDED))
        return [peer for peer in registered if party in peer.clients]

    async def _reaches(self, peer: Peer, party: str) -> bool:
        """Whether the (folded) party can be asked now: a hub says which of its clients are."""
        if not _can_be_asked(peer):
            return False
        return not peer.is_hub or party not in await self._peers.unreachable_behind(peer.peer_id)

    async def offering(self) -> list[Emsp]:
        """eMSPs that the operator has marked for it (`cpo peers ask-unknown`), one by one, each
        addressed as a party; of a hub whoever it finds."""
        found: list[Emsp] = []
        for peer in await self._marked():
            if not _can_be_asked(peer):
                continue
            if peer.is_hub:
                found.append(Emsp(peer.peer_id, None))
                continue
            found += [
                Emsp(peer.peer_id, (role["country_code"], role["party_id"]))
                for role in peer.roles
                if role["role"] == "EMSP"
            ]
        if len(found) > MAX_ASKED:
            logger.warning("%d eMSPs are not asked for an unknown card", len(found) - MAX_ASKED)
        return found[:MAX_ASKED]

    async def may_issue(self, peer_id: str, party: str) -> bool:
        try:
            return await self._may_speak_for(await self._peers.get(peer_id), party)
        except UnknownPeer:
            return False

    async def ask(self, emsp: Emsp, question: Question, timeout_s: float) -> Reply:
        ends = time.monotonic() + timeout_s
        try:
            peer = await self._peers.get(emsp.peer_id)
            url = peer.endpoint("tokens", "SENDER")
            if url is None:
                return Reply()
            answer = await self._post(
                peer, emsp, authorize_url(url, question, peer.form), question, ends
            )
            return Reply(data=_as_inner(_single(answer.data()), peer.form))
        except PeerUnusable as error:
            if error.http_status == 404 or error.ocpi_status_code == UNKNOWN_TOKEN:
                return Reply(unknown=True)
            problem = error.reason
        except UnknownPeer:
            return Reply()
        except (SecretUnusable, ValueError) as error:
            problem = str(error)
        logger.warning("peer %s: no real-time authorization: %s", emsp.peer_id, problem)
        await self._peers.failed(emsp.peer_id, f"authorize: {problem}", self._peers.now())
        return Reply()

    async def _post(
        self, peer: Peer, emsp: Emsp, url: str, question: Question, ends: float
    ) -> PeerAnswer:
        """The answer. Asked once more where a kept-alive connection turned out to be dead: asking
        twice does no harm, and the driver stands there. Raises PeerUnusable."""
        country_code, party_id = emsp.party or (None, None)
        form = peer.form
        place = form.render(ObjectKind.LOCATION_REFERENCES, question.body()).object
        routing = (
            RoutingHeaders(question.country_code, question.party_id, country_code, party_id)
            if form.description.has_message_routing
            else None
        )
        for last in (False, True):
            try:
                return await self._client.request(
                    "POST",
                    url,
                    token=self._peers.their_token(peer),
                    raw_token=peer.takes_raw_tokens,
                    body=orjson.dumps(place),
                    routing=routing,
                    timeout_s=max(0.0, ends - time.monotonic()),
                    about=subject_of(peer, url),
                )
            except PeerUnusable as error:
                if last or error.kind != "broken_answer":
                    raise
        raise AssertionError("unreachable")

    async def _marked(self) -> Sequence[Peer]:
        marked = {f"settings.{ASK_UNKNOWN}": True}
        return await self._peers.all(status=CONNECTED, **marked)


def authorize_url(endpoint: str, question: Question, form: OcpiVersion) -> str:
    """{tokens_endpoint_url}/{token_uid}/authorize?type={type}, however the endpoint ends."""
    parts = urlsplit(endpoint)
    path = f"{parts.path.rstrip('/')}/{quote(question.uid, safe='')}/authorize"
    query = "&".join(filter(None, [parts.query, f"type={form.token_type(question.token_type)}"]))
    return parts._replace(path=path, query=query, fragment="").geturl()


def _single(data: object) -> object:
    """Peers built on extrawest-ocpi put a single object into a list of one."""
    return data[0] if isinstance(data, list) and len(data) == 1 else data


def _as_inner(data: object, form: OcpiVersion) -> object:
    """The AuthorizationInfo as the inner model has it; what cannot be read is left as it is, for
    whoever judges it. In a version whose objects name no party it holds no token: an ALLOWED is
    good for a token that we know."""
    if not form.description.has_parties:
        return data
    try:
        return form.read(ObjectKind.AUTHORIZATION_INFO, data).object
    except (SchemaError, Unconvertible):
        return data


def _can_be_asked(peer: Peer) -> bool:
    return peer.status == CONNECTED and peer.endpoint("tokens", "SENDER") is not None
