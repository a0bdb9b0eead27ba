"""Peers' CDRs, each proven: by its receipt, else by asking the peer, and sent again if it lacks it.

A peer is asked for what its receipts leave open alone, at MAX_PER_S requests a second: by its own
list of CDRs where it offers one, else at the CDR's URL. Nothing is POSTed here: what is missing is
marked for the push, which asks once more before it sends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.push.addressing import owner_of, routing
from cpo_app.ocpi.push.cdr_urls import cdr_places, is_cdr
from cpo_app.ocpi.push.failures import judged, says_not_there
from cpo_app.ocpi.push.requests import Request
from cpo_app.ocpi.push.sending import PeerChannel
from db_interface.interface import DbInterface
from domain.errors import InvalidParameters
from domain.exchanges.subjects import subject_of
from domain.outbox.marks import mark_to_be_asked
from domain.peers.found_by import offering
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED
from domain.reconciliation.cdr_arrivals import Arrivals, Expected, Outcome, confirm, keep, sift
from domain.reconciliation.cdr_totals import bill_alike
from domain.schemas import format_datetime
from domain.secrets import SecretUnusable
from domain.versions import ids_of_cdr

logger = logging.getLogger("cpo.reconciliation")

MAX_PER_S = 8.0
PEERS_AT_ONCE = 4
MAX_REQUESTS = 4_500
"""To one peer in one pass: it ends within ten minutes."""
PAGE_SIZE = 250
MAX_PAGES = 1_000
_AT_ONCE = 8


class Pace:
    """So many turns a second at most."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1 / per_s
        self._next = 0.0
        self.turns = 0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap_s
        self.turns += 1
        await asyncio.sleep(at - now)


class CdrReconciliation:
    def __init__(
        self,
        store: DbInterface,
        peers: Peers,
        client: PeerClient,
        *,
        timeout_s: float,
        max_per_s: float = MAX_PER_S,
    ) -> None:
        self._store = store
        self._peers = peers
        self._client = client
        self._timeout_s = timeout_s
        self._max_per_s = max_per_s

    async def all(self, since: datetime, until: datetime) -> list[Arrivals]:
        """Every connected peer that takes CDRs, a few side by side."""
        peers = [peer async for peer in offering(self._store.db, "cdrs", "RECEIVER")]
        room = asyncio.Semaphore(PEERS_AT_ONCE)

        async def one(peer: Peer) -> Arrivals:
            async with room:
                return await self._of(peer, since, until)

        return list(await asyncio.gather(*(one(peer) for peer in peers)))

    async def of(self, peer_id: str, since: datetime, until: datetime) -> Arrivals:
        """One peer. Raises UnknownPeer, InvalidParameters."""
        peer = await self._peers.get(peer_id)
        if peer.status != CONNECTED or peer.endpoint("cdrs", "RECEIVER") is None:
            raise InvalidParameters(f"peer {peer_id} is not connected, or takes no CDRs")
        return await self._of(peer, since, until)

    async def _of(self, peer: Peer, since: datetime, until: datetime) -> Arrivals:
        db = self._store.db
        arrivals = Arrivals(peer.peer_id, since, until)
        left = await sift(db, peer.document, arrivals)
        if left:
            try:
                token = self._peers.their_token(peer)
            except SecretUnusable as error:
                arrivals.problem = str(error)
                _note_all(arrivals, left, Outcome.UNREACHABLE)
            else:
                channel = PeerChannel(self._client, peer, token, self._timeout_s)
                await _Asking(self._store, channel, arrivals, Pace(self._max_per_s)).ask(left)
        await keep(db, arrivals)
        return arrivals


class _Asking:
    """One peer, and the CDRs that its receipts leave open."""

    def __init__(
        self, store: DbInterface, channel: PeerChannel, arrivals: Arrivals, pace: Pace
    ) -> None:
        self._store = store
        self._channel = channel
        self._arrivals = arrivals
        self._pace = pace

    async def ask(self, left: Sequence[Expected]) -> None:
        missing: list[str] = []
        rest = await self._by_list(left)
        for first in range(0, len(rest), _AT_ONCE):
            group = rest[first : first + _AT_ONCE]
            if self._arrivals.problem is not None:
                _note_all(self._arrivals, rest[first:], Outcome.UNREACHABLE)
                break
            if self._pace.turns >= MAX_REQUESTS:
                _note_all(self._arrivals, rest[first:], Outcome.LATER)
                break
            outcomes = await asyncio.gather(*(self._at_its_url(one) for one in group))
            for one, outcome in zip(group, outcomes, strict=True):
                self._arrivals.note(one.cdr, outcome)
                missing += [one.key] if outcome is Outcome.MISSING else []
        self._arrivals.requests = self._pace.turns
        await mark_to_be_asked(self._store, self._arrivals.peer_id, missing)

    async def _by_list(self, left: Sequence[Expected]) -> list[Expected]:
        """Judge what the peer's list shows; what it does not show has to be asked for."""
        endpoint = self._channel.peer.endpoint("cdrs", "SENDER")
        if endpoint is None or self._channel.peer.is_hub:
            return list(left)  # a hub has a list for each of its parties, none of its own
        form = self._channel.peer.form
        wanted = {cdr_id.lower(): one for one in left for cdr_id in ids_of_cdr(one.cdr["id"], form)}
        moments = [one.last_updated for one in left]
        url = _with_dates(endpoint, min(moments), max(moments) + timedelta(milliseconds=1))
        pages = self._channel.client.pages(
            url,
            token=self._channel.token,
            raw_token=self._channel.peer.takes_raw_tokens,
            limit=PAGE_SIZE,
            timeout_s=self._channel.timeout_s,
            about=subject_of(self._channel.peer, endpoint),
        )
        try:
            await self._pace.turn()
            number = 0
            async for page in pages:
                for item in page.items:
                    await self._listed(item, wanted)
                number += 1
                if not wanted or number >= MAX_PAGES:
                    break
                if page.next_url is not None:
                    await self._pace.turn()
        except PeerUnusable as error:
            logger.warning("peer %s: its list of CDRs: %s", self._arrivals.peer_id, error.reason)
        return list({one.key: one for one in wanted.values()}.values())

    async def _listed(self, item: Any, wanted: dict[str, Expected]) -> None:
        cdr_id = str(item.get("id", "")).lower() if isinstance(item, Mapping) else ""
        one = wanted.get(cdr_id)
        has_parties = self._channel.peer.form.description.has_parties
        if one is None or (has_parties and not _of_owner(item, one)):
            return
        for name in ids_of_cdr(one.cdr["id"], self._channel.peer.form):
            wanted.pop(name.lower(), None)
        self._arrivals.note(one.cdr, await self._seen(one, item, item["id"]))

    async def _at_its_url(self, one: Expected) -> Outcome:
        peer = self._channel.peer
        endpoint = peer.endpoint("cdrs", "RECEIVER") or ""
        has_routing = peer.form.description.has_message_routing
        headers = routing(peer, "cdrs", one.audience, owner_of(one.cdr)) if has_routing else None
        for there in await cdr_places(self._store.db, peer, endpoint, one.cdr):
            await self._pace.turn()
            try:
                answer = await self._channel.ask(Request("GET", there.url), headers)
            except PeerUnusable as error:
                if says_not_there(error):
                    continue
                failure = judged(error)
                if not failure.peer:
                    return Outcome.UNCLEAR
                self._arrivals.problem = failure.text
                return Outcome.UNREACHABLE
            shown = answer.data()
            if not is_cdr(shown, there.cdr_id):
                return Outcome.UNCLEAR
            return await self._seen(one, shown, there.cdr_id, there.url)
        return Outcome.MISSING

    async def _seen(
        self, one: Expected, shown: Any, cdr_id: str, url: str | None = None
    ) -> Outcome:
        """The peer has it, under that id: as it is, or otherwise."""
        if not bill_alike(one.cdr, shown):
            return Outcome.DIFFERENT
        await confirm(self._store.db, self._channel.peer.peer_id, one, cdr_id, url)
        return Outcome.CONFIRMED


def _note_all(arrivals: Arrivals, left: Sequence[Expected], outcome: Outcome) -> None:
    for one in left:
        arrivals.note(one.cdr, outcome)


def _of_owner(item: Mapping[str, Any], one: Expected) -> bool:
    names = ("country_code", "party_id")
    return all(str(item.get(name, "")).lower() == one.cdr[name].lower() for name in names)


def _with_dates(url: str, since: datetime, until: datetime) -> str:
    joint = "&" if "?" in url else "?"
    start, end = (quote(format_datetime(moment), safe="") for moment in (since, until))
    return f"{url}{joint}date_from={start}&date_to={end}"
