"""The OCPI Authenticator: who is speaking, found by one indexed look-up of the token's hash.

extrawest-ocpi's own walks a list of all tokens; cpo_app/ocpi/server/library_authenticator.py hands
this one to it. Knows no OCPI module: what a token is good for is said by its kind ("A" only for
versions and credentials, "C" for everything).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from auth.charge_point_access import Admission
from auth.charge_point_tokens import Secret
from auth.credentials_header import tokens_in
from db_interface.database import Database
from domain.peers import spoken_for
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.statuses import BLOCKED

logger = logging.getLogger("cpo.ocpi")

_REPLACED_USED = "a replaced token of its was used to change something, and refused"
CACHE_S = 1.0
"""How long a token may still be good in another process after the peer was removed there."""
CACHE_SIZE = 4096
SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Caller:
    """Who made the request: a peer, by a token of a kind."""

    peer: Peer
    token: str
    kind: str
    replaced: bool = False
    """A newer token has taken this one's place: it may read for a while."""
    encoded: bool = True
    """The header bore it in Base64; else as it is. Which is right depends on the OCPI version."""
    let_in_at: set[str] = field(default_factory=set, compare=False)
    """The addresses from which it has come since it was looked up."""

    def __repr__(self) -> str:
        return f"Caller({self.peer.peer_id}, kind={self.kind})"


class OcpiAuthenticator:
    """Bound to a store; one per process."""

    def __init__(
        self,
        db: Database,
        peers: Peers,
        charge_point_secret: Secret = "",
        *,
        unregistered: bool = False,
    ) -> None:
        self._db = db
        self._peers = peers
        self._charge_points = Admission(db, charge_point_secret, unregistered=unregistered)
        self._cache: dict[str, tuple[float, Caller]] = {}
        """Callers by their Authorization header, and when they were looked up."""
        self._noted: dict[str, datetime] = {}
        """When peers were noted as seen, by their ids: those that come at once are noted once."""

    def held(self, header: str | None) -> Caller | None:
        """The caller by its Authorization header, where that was looked up just now."""
        held = self._cache.get(header or "")
        return None if held is None or time.monotonic() - held[0] >= CACHE_S else held[1]

    async def caller(self, header: str | None) -> Caller | None:
        """The caller of a request by its Authorization header; None where there is no right one."""
        held = self.held(header)
        if held is not None:
            return held
        now = time.monotonic()
        caller = await self._look_up(tokens_in(header))
        # Held is only what stays: an invitation may become a registration, and a rotation be
        # completed, at any moment and in any process.
        if header and caller is not None and caller.kind == "C" and caller.peer.has_one_token:
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[header] = (now, caller)
        return caller

    async def _look_up(self, tokens: Sequence[str]) -> Caller | None:
        """The caller by what the header may mean: the decoded token first, then the raw text."""
        for position, token in enumerate(tokens):
            found = await self._peers.by_token(token)
            if found is None:
                continue
            peer, kind = found
            if peer.status == BLOCKED:
                return None
            await self._note_seen(peer)
            decoded = position == 0 and len(tokens) == 2
            return Caller(peer, token, kind, self._peers.is_replaced(peer, token), decoded)
        return None

    async def replaced_token_refused(self, peer: Peer) -> None:
        """Tell the operator: either the peer has not taken its new token over, or somebody else
        has the old one."""
        await self._peers.failed(peer.peer_id, _REPLACED_USED, self._db.now())
        logger.warning("peer %s: %s", peer.peer_id, _REPLACED_USED)

    async def may_speak_for(self, peer: Peer, party: str) -> bool:
        """Whether a request in this (folded) party's name is the peer's to make."""
        return await spoken_for.speaks_for(self._db, peer, party)

    async def audiences_for(self, peer: Peer, party: str) -> Sequence[str] | None:
        """What is open to the peer in this (folded) party's name; None: it may not use it."""
        return await spoken_for.audiences_for(self._db, peer, party)

    async def kind_of(self, token: str) -> str | None:
        """What a token is good for: "A" or "C"; None where nobody is let in by it."""
        found = await self._peers.by_token(token)
        return None if found is None or found[0].status == BLOCKED else found[1]

    async def admit_charge_point(
        self,
        token: str | None,
        cp_id: str,
        *,
        required: bool,
        certificate: str | None = None,
        at_leisure: bool = False,
    ) -> None:
        """Let a charge point in by EV_Registry's token (charge_point_access.Admission.admit).

        Raises auth.charge_point_access.ChargePointRefused.
        """
        await self._charge_points.admit(
            token, cp_id, required=required, certificate=certificate, at_leisure=at_leisure
        )

    def forget(self) -> None:
        """Look everything up again: a token of this process has just changed."""
        self._cache.clear()

    async def _note_seen(self, peer: Peer) -> None:
        now = self._db.now()
        seen = max(filter(None, (peer.last_seen, self._noted.get(peer.peer_id))), default=None)
        if seen is None or now - seen > SEEN_EVERY:
            self._noted[peer.peer_id] = now
            await self._peers.seen(peer.peer_id, now)
