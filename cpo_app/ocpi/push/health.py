"""Whether a peer takes anything at the moment, from how its answers go: the breaker at work.

Requests that were out together fail together: that is one failure. And what was sent before a
failure says nothing about the time after it. So each request bears the `epoch` it was sent in.
"""

from __future__ import annotations

import logging

from cpo_app.ocpi.push.breaker import Breaker
from cpo_app.ocpi.push.failures import SUSPICIOUS, Failure
from cpo_app.ocpi.push.lease import Lease
from db_interface.database import Database
from domain.outbox.push_lanes import PushLane
from domain.peers.peer import Peer
from domain.peers.peers import Peers

logger = logging.getLogger("cpo.push")


class Health:
    """One peer's, while this process holds its lane; kept in the lane's document."""

    def __init__(self, db: Database, peers: Peers, peer_id: str, lease: Lease) -> None:
        self._db = db
        self._peers = peers
        self._peer_id = peer_id
        self._lease = lease
        self._breaker = Breaker()
        self._suspicions = 0
        self.epoch = 0

    def take_over(self, lane: PushLane, peer: Peer) -> None:
        """As the lane's document has it, unless the operator or the peer has changed something
        since (credentials, a quirk, a resume): then the peer is tried at once."""
        opened, changed = lane.get("opened"), peer.document.get("updated")
        if not (opened and changed and changed > opened):
            self._breaker = Breaker.of(lane)

    @property
    def good(self) -> bool:
        """False: a single mark may be tried, once `admits` says so."""
        return self._breaker.closed

    @property
    def admits(self) -> bool:
        return self._breaker.admits(self._db.now())

    async def answered(self, epoch: int) -> None:
        """The peer took an object, or refused it with reason: it works."""
        if epoch != self.epoch:
            return
        self._suspicions = 0
        if self._breaker.closed:
            return
        self._breaker.succeeded()
        logger.info("push to %s works again", self._peer_id)
        await self._lease.note(**self._breaker.facts())

    async def failed(self, failure: Failure, epoch: int) -> None:
        if epoch != self.epoch:
            return
        self._suspicions += 1
        if failure.peer or self._suspicions >= SUSPICIOUS or not self._breaker.closed:
            await self.shut_out(failure)

    async def shut_out(self, failure: Failure) -> None:
        """Nothing goes to the peer for a while."""
        self.epoch += 1
        now = self._db.now()
        self._breaker.failed(
            now, failure.text, first_s=failure.first_s, retry_after_s=failure.retry_after_s
        )
        logger.warning("push to %s pauses: %s", self._peer_id, failure.text)
        await self._peers.failed(self._peer_id, f"push: {failure.text}", now)
        await self._lease.note(**self._breaker.facts(), opened=now)
