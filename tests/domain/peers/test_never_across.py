"""Whatever happens to peers and their parties, in whatever order: nobody sees, or is marked for,
what was made for a party while another held it, unless the operator has moved it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.outbox.marks import reader_of
from domain.peers import claims, parties, switches
from domain.peers.claims import NoClaim, PartyTaken
from domain.peers.peer_document import receivers
from domain.peers.peers import Peers
from domain.peers.spoken_for import audiences_for, speaks_for
from domain.peers.statuses import STATUSES
from domain.peers.switches import NotPossible
from domain.peers.terms import Terms
from domain.secrets import Vault, new_token
from domain.visibility import may_see
from tests.conftest import Loop

PARTIES = ("de*aaa", "nl*bbb")
PEERS = 3
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
TERMS = (
    Terms(),
    Terms(parties=(PARTIES[0],)),
    Terms(any_party=True),
    Terms(any_party=True, hub=True),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "register",
                "register-both",
                "race",
                "leave",
                "suspend",
                "block",
                "resume",
                "approve",
                "release",
                "move",
                "make",
            )
        ),
        st.integers(0, PEERS - 1),
        st.sampled_from(PARTIES),
        st.sampled_from(("EMSP", "HUB", "CPO")),
    ),
    min_size=4,
    max_size=14,
)


@dataclass
class House:
    """The store, and what must be: who may see each thing that was made."""

    store: DbInterface
    peers: Peers
    ids: list[str] = field(default_factory=list)
    made: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(audience, party, the peer that it is for)"""

    async def step(self, what: str, which: int, party: str, role: str) -> None:
        peer_id = self.ids[which]
        try:
            if what == "register":
                await self._register(peer_id, role, party)
            elif what == "register-both":
                await self._register(peer_id, role, *PARTIES)
            elif what == "race":
                await self._race(party, role)
            elif what == "leave":
                await self.peers.disconnect(peer_id, AT)
            elif what in ("suspend", "block", "resume", "approve"):
                await switches.SWITCHES[what].do(self.store, peer_id)
            elif what == "release":
                await parties.release(self.store, party)
            elif what == "move":
                await parties.move(self.store, party, peer_id)
                self.made = [
                    (audience, of, peer_id if of == party else holder)
                    for audience, of, holder in self.made
                ]
            else:
                claim = await claims.of(self.store.db, party)
                if claim is not None:
                    audience = await claims.current(self.store.db, party)
                    self.made.append((audience, party, claim["last"]))
        except (PartyTaken, NoClaim, NotPossible):
            pass

    async def _race(self, party: str, role: str) -> None:
        """All register as the same party at once."""
        outcomes = await asyncio.gather(
            *(self._register(peer_id, role, party) for peer_id in self.ids), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, PartyTaken):
                raise outcome

    async def _register(self, peer_id: str, role: str, *named: str) -> None:
        roles: list[dict[str, Any]] = [
            {"role": role, "country_code": party[:2], "party_id": party[3:]} for party in named
        ]
        await self.peers.connect(
            peer_id, our_token=new_token(), their_token=new_token(), now=AT, roles=roles,
            endpoints=[{"identifier": "sessions", "role": "RECEIVER", "url": "https://x.example"}],
        )  # fmt: skip

    async def check(self) -> None:
        marked = {
            audience: {
                peer["_id"]
                for peer in await receivers(self.store.db, "sessions", STATUSES, [audience])
            }
            for audience, _, _ in self.made
        }
        for peer_id in self.ids:
            peer = await self.peers.get(peer_id)
            for audience, party, holder in self.made:
                sees = may_see("sessions", reader_of(peer.document), audience)
                in_its_name = audience in (await audiences_for(self.store.db, peer, party) or ())
                if sees or in_its_name or peer_id in marked[audience]:
                    assert holder == peer_id, (peer_id, audience)
            for party in PARTIES:
                claim = await claims.of(self.store.db, party)
                if await speaks_for(self.store.db, peer, party) and claim is not None:
                    assert claim["peer_id"] == peer_id


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(
    steps=[
        ("register", 0, PARTIES[0], "EMSP"),
        ("make", 0, PARTIES[0], "EMSP"),
        ("release", 0, PARTIES[0], "EMSP"),
        ("register", 1, PARTIES[0], "EMSP"),
    ],
    terms=[Terms(any_party=True, hub=True)] * PEERS,
)
@example(
    steps=[
        ("register", 0, PARTIES[0], "EMSP"),
        ("make", 0, PARTIES[0], "EMSP"),
        ("block", 0, PARTIES[0], "EMSP"),
        ("register", 1, PARTIES[1], "HUB"),
        ("register", 2, PARTIES[0], "EMSP"),
        ("leave", 0, PARTIES[0], "EMSP"),
    ],
    terms=[Terms(any_party=True, hub=True)] * PEERS,
)
@given(steps=STEPS, terms=st.lists(st.sampled_from(TERMS), min_size=PEERS, max_size=PEERS))
def test_never_across(
    db: Database, loop: Loop, steps: list[tuple[str, int, str, str]], terms: list[Terms]
) -> None:
    async def run() -> None:
        for name in ("peers", "party_claims"):
            await db[name].delete_many({})
        peers = Peers(db, Vault("k" * 32))
        house = House(DbInterface(db), peers)
        for one in terms:
            peer, _ = await peers.invite("peer", AT, one)
            house.ids.append(peer.peer_id)
        for step in steps:
            await house.step(*step)
            await house.check()

    loop.run(run(), 60)
