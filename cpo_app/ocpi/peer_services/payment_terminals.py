"""Payment terminals at the provider that owns them (OCPI 2.3.0, mod_payments, sender interface): a
CPO fetches what there is, says which places a terminal is for, has one activated or ended.

The provider's word counts: what it holds after a change is fetched from it, and kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import orjson

from cpo_app.ocpi.peer_client.client import PeerAnswer, PeerClient, PeerUnusable, RoutingHeaders
from cpo_app.settings import Settings
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from domain.errors import InvalidParameters, UnableToUseClientApi
from domain.payments import payments
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED
from domain.schemas import SchemaError, format_datetime
from domain.versions import ObjectKind, Unconvertible

MODULE = "payments"
PATHS = {
    ObjectKind.TERMINAL: "terminals",
    ObjectKind.FINANCIAL_ADVICE_CONFIRMATION: "financial-advice-confirmations",
}
PAGE_SIZE = 100
BAD = "bad"


class PaymentTerminals:
    """Its methods raise UnknownPeer, InvalidParameters where the peer offers no terminals, and
    UnableToUseClientApi where it does not do what it is asked."""

    def __init__(
        self, store: DbInterface, settings: Settings, peers: Peers, client: PeerClient
    ) -> None:
        self._store = store
        self._settings = settings
        self._peers = peers
        self._client = client

    async def pull(self, peer_id: str) -> Mapping[str, int]:
        """Fetch all that the provider has: how many were created, updated, older than ours, and
        bad."""
        peer = await self._provider(peer_id)
        counts: Counter[str] = Counter()
        for kind, path in PATHS.items():
            pages = self._client.pages(
                self._url(peer, path),
                token=self._peers.their_token(peer),
                raw_token=peer.takes_raw_tokens,
                routing=self._routing(peer),
                limit=PAGE_SIZE,
                timeout_s=self._settings.CPO_PEER_TIMEOUT_S,
            )
            try:
                async for page in pages:
                    for item in page.items:
                        counts[await self._keep(peer, kind, item)] += 1
            except PeerUnusable as error:
                raise UnableToUseClientApi(f"GET {path}: {error.reason}") from error
        return counts

    async def assign(
        self, peer_id: str, terminal_id: str, locations: Sequence[str], evses: Sequence[str]
    ) -> JsonMapping:
        """From now on the terminal is for these places, and no others; it is returned as its
        provider has it then."""
        peer = await self._provider(peer_id)
        change = {
            "location_ids": list(locations),
            "evse_uids": list(evses),
            "last_updated": format_datetime(self._store.db.now()),
        }
        url = self._url(peer, "terminals", terminal_id)
        await self._ask(peer, "PATCH", url, change)
        given = (await self._ask(peer, "GET", url)).data()
        outcome = await self._keep(peer, ObjectKind.TERMINAL, given)
        if outcome == BAD or not isinstance(given, dict):
            raise UnableToUseClientApi("GET of the terminal: what the peer shows is not a Terminal")
        return given

    async def activate(self, peer_id: str, terminal: JsonMapping) -> None:
        """Ask for a terminal that stands somewhere; its provider gives it an id, and tells us."""
        peer = await self._provider(peer_id)
        body = {**terminal, "last_updated": format_datetime(self._store.db.now())}
        await self._ask(peer, "POST", self._url(peer, "terminals", "activate"), body)

    async def deactivate(self, peer_id: str, terminal_id: str) -> None:
        peer = await self._provider(peer_id)
        await self._ask(peer, "POST", self._url(peer, "terminals", terminal_id, "deactivate"))

    async def _provider(self, peer_id: str) -> Peer:
        peer = await self._peers.get(peer_id)
        if peer.status != CONNECTED or peer.endpoint(MODULE, "SENDER") is None:
            raise InvalidParameters(f"peer {peer_id} is not connected, or offers no terminals")
        return peer

    async def _keep(self, peer: Peer, kind: ObjectKind, given: object) -> str:
        try:
            inner = peer.form.read(kind, given).object
        except (SchemaError, Unconvertible, LookupError):
            return BAD
        return await payments.keep(self._store, peer.peer_id, kind, inner, unless_older=True)

    async def _ask(
        self, peer: Peer, method: str, url: str, body: JsonObject | None = None
    ) -> PeerAnswer:
        try:
            answer = await self._client.request(
                method,
                url,
                token=self._peers.their_token(peer),
                raw_token=peer.takes_raw_tokens,
                body=None if body is None else orjson.dumps(body),
                routing=self._routing(peer),
                timeout_s=self._settings.CPO_PEER_TIMEOUT_S,
            )
            answer.data()
        except PeerUnusable as error:
            raise UnableToUseClientApi(f"{method} terminals: {error.reason}") from error
        return answer

    @staticmethod
    def _url(peer: Peer, *below: str) -> str:
        endpoint = (peer.endpoint(MODULE, "SENDER") or "").rstrip("/")
        return "/".join([endpoint, *(quote(part, safe="") for part in below)])

    def _routing(self, peer: Peer) -> RoutingHeaders:
        ours = self._settings.parties[0]
        to = (peer.roles[0]["country_code"], peer.roles[0]["party_id"]) if peer.roles else ()
        return RoutingHeaders(ours.country_code, ours.party_id, *to)
