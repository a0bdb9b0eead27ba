"""Reads hubs' lists of their clients (OCPI 2.2.1, mod_hub_client_info 14.3.2): when a hub has
connected, when we have started, and every hour. What it says in between it pushes.

Runs in every worker; a lease in the store sees to it that each list is one worker's.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.settings import Settings
from db_interface.backoff import Backoff
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from domain.exchanges.subjects import subject_of
from domain.peers import client_switches, hub_client_pulls
from domain.peers.found_by import hubs
from domain.peers.hub_client_pulls import HubClientPull as Claimed
from domain.peers.peer import Peer
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.rounds import Rounds
from domain.schemas import ClientInfo, SchemaError, validate
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.hubs")

PAUSE_S = 2.0
LEASE_S = 120.0
EVERY = timedelta(hours=1)
PAGE_SIZE = 100
_RETRY = Backoff(first_s=30.0, max_s=EVERY.total_seconds())


class HubClientPull:
    def __init__(
        self, store: DbInterface, settings: Settings, peers: Peers, client: PeerClient
    ) -> None:
        self._store = store
        self._settings = settings
        self._peers = peers
        self._client = client
        self._started = False
        self._rounds = Rounds("hub clients", self.round, PAUSE_S, logger=logger)

    def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        """End it; a list that is being read is read by another worker, or after the restart."""
        await self._rounds.stop()

    async def round(self) -> None:
        """Read the lists that are due."""
        db = self._store.db
        if not self._started:
            await hub_client_pulls.all_due(db, db.now())
            self._started = True
        urls = {hub.peer_id: url for hub in await hubs(db) if (url := _url(hub)) is not None}
        await hub_client_pulls.follow(db, urls, db.now())
        while (claimed := await hub_client_pulls.claim_due(db, db.now(), LEASE_S)) is not None:
            await self._pull(claimed)

    async def _pull(self, claimed: Claimed) -> None:
        db, peer_id = self._store.db, claimed["_id"]
        problem = await self._problem_with(peer_id)
        failures = 0 if problem is None else claimed["failures"] + 1
        wait = EVERY if problem is None else timedelta(seconds=_RETRY.after(failures))
        if problem is not None:
            logger.warning("peer %s: reading its clients broke off: %s", peer_id, problem)
            await self._peers.failed(peer_id, f"reading its clients: {problem}", db.now())
        await hub_client_pulls.done(db, claimed, db.now() + wait, failures)

    async def _problem_with(self, peer_id: str) -> str | None:
        """Read the whole list; what went wrong, or None."""
        try:
            hub = await self._peers.get(peer_id)
            named = await self._read(hub)
            await client_switches.list_is_complete(self._store, peer_id, named)
        except UnknownPeer:
            return None
        except PeerUnusable as error:
            return error.reason
        except (SecretUnusable, ValueError) as error:
            return str(error)
        logger.info("peer %s: it has %d clients", peer_id, len(named))
        return None

    async def _read(self, hub: Peer) -> set[str]:
        """Keep page after page; the parties that it names. No routing headers: HubClientInfo is
        a configuration module (transport_and_format, message routing)."""
        named: set[str] = set()
        pages = self._client.pages(
            _url(hub) or "",
            token=self._peers.their_token(hub),
            raw_token=hub.takes_raw_tokens,
            limit=int(hub.quirks.get("page_size") or PAGE_SIZE),
            timeout_s=self._settings.CPO_PEER_TIMEOUT_S * 3,
            about=subject_of(hub, _url(hub) or ""),
        )
        async for page in pages:
            infos: list[JsonObject] = []
            for data in page.items:
                try:
                    infos.append(validate(ClientInfo, data))
                except SchemaError as error:
                    logger.warning("peer %s: a bad ClientInfo is skipped: %s", hub.peer_id, error)
            await client_switches.listed(self._store, hub.peer_id, infos)
            named.update(map(client_switches.party_in, infos))
        return named


def _url(hub: Peer) -> str | None:
    return hub.endpoint("hubclientinfo", "SENDER")
