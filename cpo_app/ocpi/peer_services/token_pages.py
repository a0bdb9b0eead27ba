"""The pages of an eMSP's tokens: fetched one after another, each kept with the progress.

A token that is bad, or another party's, is skipped and counted, and spoils no other. Never logs
a token's contents; token B goes to the endpoint's own host alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from urllib.parse import quote

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable, RoutingHeaders
from cpo_app.ocpi.peer_client.peer_pages import ResumeAt
from cpo_app.settings import Settings
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.authorization import token_pulls
from domain.authorization.token_sync import keep_all
from domain.exchanges.subjects import subject_of
from domain.peers.peer import Peer
from domain.peers.peers import Peers
from domain.peers.statuses import CONNECTED
from domain.schemas import SchemaError, format_datetime
from domain.versions import Context, ObjectKind, Unconvertible

logger = logging.getLogger("cpo.tokens")

PAGE_SIZE = 500
MAX_AT_ONCE = 1000
"""Tokens in one transaction, whatever page a peer sends."""
SLICE = 25
"""Tokens looked at before others have their turn: some milliseconds."""
MAX_PROBLEM_LENGTH = 200
MAX_NAMED = 5
PAUSE_S = 0.05
"""Between two pages: a peer with a million tokens is not in a hurry, the others are."""

MaySpeakFor = Callable[[Peer, str], Awaitable[bool]]
"""OcpiAuthenticator.may_speak_for: whether a (folded) party's objects are the peer's to bring."""


class TokenPages:
    def __init__(
        self,
        store: DbInterface,
        settings: Settings,
        peers: Peers,
        client: PeerClient,
        may_speak_for: MaySpeakFor,
        clock: Callable[[], datetime],
        lease_s: float,
    ) -> None:
        self._store = store
        self._settings = settings
        self._peers = peers
        self._client = client
        self._may_speak_for = may_speak_for
        self._clock = clock
        self._lease_s = lease_s

    async def fetch(self, peer: Peer, claimed: token_pulls.Pull, run: token_pulls.Run) -> None:
        """Fetch and keep page after page. Raises PeerUnusable; the progress is kept then."""
        first = peer.endpoint("tokens", "SENDER")
        if first is None or peer.status != CONNECTED:
            raise PeerUnusable("the peer offers no tokens any more", "refused_url", sent=False)
        limit = int(peer.quirks.get("page_size") or PAGE_SIZE)
        start = _with_date_from(first, run.get("date_from"))
        counts, next_url = run["counts"], run.get("next_url")
        pages = self._client.pages(
            start,
            token=self._peers.their_token(peer),
            raw_token=peer.takes_raw_tokens,
            routing=self._routing(peer),
            limit=limit,
            resume=ResumeAt(next_url, counts.get("pages", 0), counts.get("received", 0))
            if next_url
            else None,
            timeout_s=self._settings.CPO_PEER_TIMEOUT_S * 3,
            about=subject_of(peer, first),
        )
        async for page in pages:
            self._within_bounds(run["counts"], len(page.items))
            await self._keep(peer, page.items, claimed, run, page.next_url)
            if page.next_url is not None:
                await asyncio.sleep(PAUSE_S)

    def _within_bounds(self, counts: dict[str, int], page_length: int) -> None:
        most = self._settings.CPO_MAX_TOKENS_PER_PEER
        if most and counts.get("received", 0) + page_length > most:
            raise PeerUnusable(
                f"the peer has more than {most} tokens (CPO_MAX_TOKENS_PER_PEER)",
                "too_large",
                sent=True,
            )

    async def _keep(
        self,
        peer: Peer,
        page: Sequence[object],
        claimed: token_pulls.Pull,
        run: token_pulls.Run,
        next_url: str | None,
    ) -> None:
        """The page's good tokens and the progress, in one transaction; a huge page in several,
        of which the last one turns the page."""
        counts: Counter[str] = Counter(pages=1, received=len(page))
        good = await self._good(peer, page, counts)
        for first in range(0, max(len(good), 1), MAX_AT_ONCE):
            part = good[first : first + MAX_AT_ONCE]
            last = first + MAX_AT_ONCE >= len(good)
            news: token_pulls.Run = {"next_url": next_url, "since": self._clock()} if last else {}
            await self._keep_part(part, claimed, run, news, counts if last else Counter())

    async def _keep_part(
        self,
        tokens: Sequence[JsonObject],
        claimed: token_pulls.Pull,
        run: token_pulls.Run,
        news: token_pulls.Run,
        counts: Counter[str],
    ) -> None:
        after: token_pulls.Run = {}

        async def work(tx: Tx) -> None:
            kept = await keep_all(self._store, tokens, tx)
            total = Counter(run["counts"]) + counts + kept
            after.update(run)
            after.update(news)
            after["counts"] = dict(total)
            await token_pulls.progressed(tx, claimed, after, self._lease_s)

        await self._store.transact(work)
        run.update(after)

    async def _good(
        self, peer: Peer, page: Sequence[object], counts: Counter[str]
    ) -> list[JsonObject]:
        """The Tokens among the objects that are the peer's to bring; the others are counted,
        and said in one line."""
        own: dict[str, bool] = {}
        owner = Context(party=peer.one_party)
        good = []
        first_problem = ""
        for number, data in enumerate(page):
            if number % SLICE == SLICE - 1:  # others have their turn
                await asyncio.sleep(0)
            try:
                token = peer.form.read(ObjectKind.TOKEN, data, owner).object
            except (SchemaError, Unconvertible) as error:
                counts["bad"] += 1
                first_problem = first_problem or str(error)[:MAX_PROBLEM_LENGTH]
                continue
            party = party_key(token["country_code"], token["party_id"])
            if party not in own:
                own[party] = await self._may_speak_for(peer, party)
            counts["foreign"] += not own[party]
            good += [token] if own[party] else []
        if counts["bad"] or counts["foreign"]:
            strangers = sorted(party for party, its_own in own.items() if not its_own)
            logger.warning(
                "peer %s: of %d tokens on a page %d are skipped as bad (the first: %s), %d as "
                "none of its parties' (%s)",
                peer.peer_id,
                len(page),
                counts["bad"],
                first_problem or "none",
                counts["foreign"],
                ", ".join(strangers[:MAX_NAMED]) or "none",
            )
        return good

    def _routing(self, peer: Peer) -> RoutingHeaders | None:
        """To the hub itself (GET All via Hubs), or to the platform's only party; a platform of
        several is asked for the tokens of all."""
        if not peer.form.description.has_message_routing:
            return None
        ours = self._settings.parties[0]
        roles = [role for role in peer.roles if role["role"] == ("HUB" if peer.is_hub else "EMSP")]
        to = (roles[0]["country_code"], roles[0]["party_id"]) if len(roles) == 1 else (None, None)
        return RoutingHeaders(ours.country_code, ours.party_id, *to)


def _with_date_from(url: str, date_from: datetime | None) -> str:
    if date_from is None:
        return url
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}date_from={quote(format_datetime(date_from), safe='')}"
