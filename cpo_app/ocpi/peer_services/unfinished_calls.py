"""Registrations of ours with other platforms that a dead process has left half done: finished, or
undone, and said.

Runs in every worker; each is one worker's at a time. A platform that cannot be reached is asked
again for an hour.
"""

from __future__ import annotations

import logging

from cpo_app.ocpi.peer_services.joining import Joining
from domain.errors import OcpiError
from domain.peers.calls import given_up
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.rounds import Rounds
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.peers")

PAUSE_S = 30.0


class UnfinishedCalls:
    """`rounds.start` and `rounds.stop` the background work."""

    def __init__(self, peers: Peers, joining: Joining) -> None:
        self._peers = peers
        self._joining = joining
        self.rounds = Rounds("unfinished registrations", self.round, PAUSE_S, logger=logger)

    async def round(self) -> list[str]:
        """See to all that nobody else is at; what came of each, in a sentence."""
        said = []
        while (peer_id := await self._peers.claim_call()) is not None:
            sentence = await self._see_to(peer_id)
            logger.warning("%s", sentence)
            said.append(sentence)
        return said

    async def _see_to(self, peer_id: str) -> str:
        began = f"peer {peer_id}: our registration with it was broken off"
        try:
            call = await self._peers.call_of(peer_id)
            await self._joining.finish(call)
            return f"{began}, and is finished now"
        except SecretUnusable as error:
            await self._peers.remove(peer_id)
            return f"{began}, and cannot be finished ({error}): ask it for another invitation"
        except UnknownPeer:
            return f"{began}, and it is removed by now"
        except OcpiError as error:
            problem = str(error)
        if await self._is_gone(peer_id):
            return f"{began}, and is undone: {problem}"
        if not given_up(self._peers.db, call):
            await self._peers.failed(peer_id, f"{problem}; tried again", self._peers.now())
            return f"{began}, and is tried again: {problem}"
        await self._joining.undo(call)
        return f"{began}, and is undone: {problem}. Ask it for another invitation"

    async def _is_gone(self, peer_id: str) -> bool:
        try:
            await self._peers.get(peer_id)
        except UnknownPeer:
            return True
        return False
