"""Pulls eMSPs' tokens (OCPI 2.2.1, mod_tokens 12.1.2): all after the handshake, then what changed.

Runs in every worker; a lease in the store sees to it that each pull is one worker's. A pull goes
on where it broke off, soon where it broke off for the first time, later when it keeps failing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.peer_services.token_pages import MaySpeakFor, TokenPages
from cpo_app.settings import Settings
from db_interface.backoff import Backoff
from db_interface.database import STORE_ERRORS
from db_interface.interface import DbInterface
from domain.authorization import token_pulls
from domain.authorization.token_pulls import LeaseLost
from domain.errors import InvalidParameters
from domain.peers.found_by import offering
from domain.peers.peer import Peer
from domain.peers.peer_document import UnknownPeer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED
from domain.rounds import Rounds
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.tokens")

PAUSE_S = 2.0
LEASE_S = 120.0
MAX_AT_ONCE = 4
SPLAY = 0.1
OVERLAP = timedelta(minutes=5)
"""Added to what a delta fetches: the peer's clock need not be ours."""
FIRST_RETRY_S = 30.0
PEERS_PER_S = 500
"""So many are looked at, on average, to see who has tokens and where."""


@dataclass(frozen=True)
class PullReport:
    """What one pull did. `counts`: pages, received, created, updated, unchanged, older (ours is
    newer), foreign (another party's), bad (not a Token). `problem`: why it is not complete."""

    peer_id: str
    complete: bool
    date_from: datetime | None = None
    resumed: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    problem: str | None = None


class TokenPull:
    """`start` and `stop` the background work; `pull_now` for the operator."""

    def __init__(
        self,
        store: DbInterface,
        settings: Settings,
        peers: Peers,
        client: PeerClient,
        may_speak_for: MaySpeakFor,
        *,
        clock: Callable[[], datetime] | None = None,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._db = store.db
        self._settings = settings
        self._peers = peers
        self._clock = clock or store.db.now
        self._pages = TokenPages(
            store, settings, peers, client, may_speak_for, self._clock, LEASE_S
        )
        self._rounds = Rounds("token pulls", self._turn, pause_s, logger=logger)
        self._pulling: set[asyncio.Task[None]] = set()
        self._follow_at = 0.0

    def start(self) -> None:
        """Begin the background work; with CPO_TOKEN_PULL_INTERVAL_S = 0 there is none."""
        if self._settings.CPO_TOKEN_PULL_INTERVAL_S:
            self._rounds.start()

    async def stop(self) -> None:
        """End it; a pull under way is taken up by another worker, or after the restart."""
        await self._rounds.stop()
        pulling = list(self._pulling)
        for task in pulling:
            task.cancel()
        await asyncio.gather(*pulling, return_exceptions=True)

    async def round(self) -> None:
        """Note who there is, and begin the pulls that are due, each on its own."""
        sources = await self._sources()
        await token_pulls.follow(self._db, sources, self._clock())
        self._follow_at = time.monotonic() + len(sources) / PEERS_PER_S
        await self._begin_due()

    async def _turn(self) -> None:
        """A round; of thousands of peers it is not noted each time who there is."""
        await (self._begin_due() if time.monotonic() < self._follow_at else self.round())

    async def _begin_due(self) -> None:
        while len(self._pulling) < MAX_AT_ONCE:
            claimed = await token_pulls.claim_due(self._db, self._clock(), LEASE_S)
            if claimed is None:
                return
            task = asyncio.create_task(self._in_background(claimed))
            self._pulling.add(task)
            task.add_done_callback(self._pulling.discard)

    async def settled(self) -> None:
        """Return when no pull of this process is under way."""
        while self._pulling:
            await asyncio.wait(self._pulling)

    async def pull_now(self, peer_id: str, *, full: bool = False) -> PullReport:
        """Pull a peer's tokens at once: what changed, or with `full` all of them.

        Raises UnknownPeer, InvalidParameters (it has none to offer), PullUnderWay.
        """
        peer = await self._peers.get(peer_id)
        source = _source(peer)
        if peer.status != CONNECTED or not source:
            raise InvalidParameters(f"peer {peer_id} is not connected, or offers no tokens")
        await token_pulls.follow(
            self._db, {**await self._sources(), peer_id: source}, self._clock()
        )
        claimed = await token_pulls.claim(self._db, peer_id, LEASE_S, full=full)
        try:
            return await self._pull(claimed)
        except LeaseLost:
            raise token_pulls.PullUnderWay(peer_id) from None

    async def _sources(self) -> dict[str, list[str]]:
        return {
            peer.peer_id: _source(peer) async for peer in offering(self._db, "tokens", "SENDER")
        }

    async def _in_background(self, claimed: token_pulls.Pull) -> None:
        try:
            await self._pull(claimed)
        except LeaseLost:
            logger.warning("peer %s: its tokens are pulled by another worker", claimed["_id"])
        except STORE_ERRORS as error:
            logger.warning("token pull waits for the store: %s", type(error).__name__)
        except Exception:  # nobody awaits this task: its error would be lost
            logger.exception("peer %s: pulling its tokens failed", claimed["_id"])
            with contextlib.suppress(LeaseLost, *STORE_ERRORS):
                await self._broken_off(claimed, "internal error, see the log")

    async def _pull(self, claimed: token_pulls.Pull) -> PullReport:
        peer_id = claimed["_id"]
        run = token_pulls.run_of(claimed, self._clock(), OVERLAP)
        resumed, pages_before = "next_url" in run, run["counts"].get("pages", 0)
        try:
            peer = await self._peers.get(peer_id)
            try:
                await self._pages.fetch(peer, claimed, run)
            except PeerUnusable as error:
                goes_on = run["counts"].get("pages", 0) > pages_before
                if not resumed or goes_on or not _page_is_gone(error):
                    raise
                # The page that we kept is good for nothing any more: from the first one, then.
                run = token_pulls.new_run(claimed, self._clock(), OVERLAP)
                await self._pages.fetch(peer, claimed, run)
        except UnknownPeer:
            return PullReport(peer_id, complete=False, problem="the peer is gone")
        except (PeerUnusable, SecretUnusable, ValueError) as error:
            problem = error.reason if isinstance(error, PeerUnusable) else str(error)
            logger.warning("peer %s: pulling its tokens broke off: %s", peer_id, problem)
            await self._peers.failed(peer_id, f"pulling tokens: {problem}", self._clock())
            wait_s = error.retry_after_s if isinstance(error, PeerUnusable) else None
            await self._broken_off(claimed, problem, wait_s)
            return self._report(peer_id, run, resumed, problem)
        now = self._clock()
        await token_pulls.finished(self._db, claimed, run, now, now + self._interval())
        counted = ", ".join(f"{number} {kind}" for kind, number in run["counts"].items())
        logger.info("peer %s: tokens pulled: %s", peer_id, counted)
        return self._report(peer_id, run, resumed, None)

    async def _broken_off(
        self, claimed: token_pulls.Pull, problem: str, wait_s: float | None = None
    ) -> None:
        backoff = Backoff(FIRST_RETRY_S, max_s=self._interval().total_seconds())
        delay_s = backoff.after(claimed.get("failures", 0) + 1)
        delay = timedelta(seconds=max(delay_s, wait_s or 0.0))
        await token_pulls.broken_off(self._db, claimed, problem, self._clock() + delay)

    def _interval(self) -> timedelta:
        """Until the next pull, a little different each time so that peers are not hit at once."""
        interval_s = self._settings.CPO_TOKEN_PULL_INTERVAL_S or 6 * 3600.0
        return timedelta(seconds=interval_s * random.uniform(1 - SPLAY, 1 + SPLAY))

    def _report(
        self, peer_id: str, run: token_pulls.Run, resumed: bool, problem: str | None
    ) -> PullReport:
        return PullReport(
            peer_id=peer_id,
            complete=problem is None,
            date_from=run.get("date_from"),
            resumed=resumed,
            counts=dict(run["counts"]),
            problem=problem,
        )


def _source(peer: Peer) -> list[str]:
    """What a pull depends on; empty for a peer that has no tokens to offer."""
    url = peer.endpoint("tokens", "SENDER")
    return [] if url is None else [url, *sorted(set(peer.speaks_for))]


def _page_is_gone(error: PeerUnusable) -> bool:
    """Whether the peer refuses this page for what it is, so that asking again would not help."""
    if error.kind in ("refused_url", "ocpi_status"):
        return (error.ocpi_status_code or 0) < 3000
    return error.kind == "http_status" and error.http_status in (400, 404, 410, 422)
