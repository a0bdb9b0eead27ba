"""Rotation by calendar: the tokens of each connected peer are exchanged when ours is so old.

Runs in every worker; each peer is one worker's at a time. A rotation that fails leaves the tokens
in force, stands in the peer's last error, and is tried again after an hour.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from cpo_app.ocpi.peer_services.renewal import Renewal
from domain.errors import OcpiError
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.rounds import Rounds
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.peers")

PAUSE_S = 60.0


class TokenRotation:
    """`rounds.start` and `rounds.stop` the background work. `days`: 0 rotates nothing."""

    def __init__(self, peers: Peers, renewal: Renewal, days: float) -> None:
        self._peers = peers
        self._renewal = renewal
        self._every = timedelta(days=days)
        self.rounds = Rounds("token rotation", self.round, PAUSE_S, logger=logger)

    async def round(self) -> None:
        """Rotate what is due and nobody else is at."""
        if not self._every:
            return
        while (peer_id := await self._peers.claim_rotation(self._every)) is not None:
            try:
                await self._renewal.rotate(peer_id)
            except UnknownPeer:
                continue
            except (OcpiError, SecretUnusable) as error:
                logger.warning("peer %s: rotating its tokens failed: %s", peer_id, error)
                text = f"rotation: {error}"
                await self._peers.failed(peer_id, text, self._peers.now())
            else:
                logger.info("peer %s: its tokens are rotated", peer_id)
