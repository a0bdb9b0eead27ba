"""Peers and their parties in any order of events, and what must be: whose each thing is that was
made. What happens goes through the code that serves it; whose things are is kept beside it, simply.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from py_ocpi.core.enums import Action

from auth.authenticator import OcpiAuthenticator
from auth.credentials_header import encoded
from crud.charging_profiles import ChargingProfiles
from crud.commands import Commands
from crud.sessions import Sessions
from crud.tokens import Tokens
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.commands.command_intake import UNKNOWN_SESSION, Intake
from domain.objects.locations import owned_location
from domain.outbox.marks import MARKS, reader_of
from domain.outbox.publishing import publish
from domain.peers import claims, client_switches, parties, switches
from domain.peers.claims import NoClaim, PartyTaken
from domain.peers.peer import Peer
from domain.peers.peer_document import receivers
from domain.peers.peers import Peers
from domain.peers.spoken_for import audiences_for, speaks_for
from domain.peers.statuses import STATUSES
from domain.peers.switches import NotPossible
from domain.peers.terms import Terms
from domain.secrets import Vault, new_token
from domain.versions import VERSIONS, OcpiVersion
from domain.views import unsaid
from domain.views.in_use import look_again
from domain.visibility import Reader, may_see
from tests.domain.schemas.samples import evse, location, session, token

PARTIES = ("de*aaa", "nl*bbb")
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
TOKEN_UID = "CARD"
OUR_PARTY = {"country_code": "BE", "party_id": "BEC"}
SESSIONS = [{"identifier": "sessions", "role": "RECEIVER", "url": "https://peer.example/sessions"}]
EVENTS = (
    "register",
    "register as both",
    "race",
    "leave",
    "suspend",
    "block",
    "resume",
    "approve",
    "release",
    "move",
    "tell of client",
    "approve client",
    "refuse client",
    "charge",
    "write token",
)
Event = tuple[str, int, str, tuple[str, ...]]
"""(what, which peer, which party, in which roles)"""


@dataclass
class Made:
    """A session that was made for a party: whose it is."""

    id: str
    audience: str
    party: str
    holder: str | None


async def _any_url(_peer_id: str, _url: str) -> None:
    """Where results go is another test's."""


@dataclass
class Story:
    store: DbInterface
    peers: Peers
    authenticator: OcpiAuthenticator
    commands: Commands
    profiles: ChargingProfiles
    ids: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    """of each peer, the credentials token that it has now"""
    made: list[Made] = field(default_factory=list)
    cards: dict[str, str | None] = field(default_factory=dict)
    """by party: whose the token object is that was written last"""

    @classmethod
    async def begin(cls, db: Database, terms: Sequence[Terms]) -> Story:
        for name in (
            "peers",
            "party_claims",
            "hub_clients",
            "marks",
            "sessions",
            "locations",
            "tokens",
            "counts",
        ):
            await db[name].delete_many({})
        peers = Peers(db, Vault("k" * 32))
        store = DbInterface(db)
        intake = Intake(store, party=OUR_PARTY, timeout_s=30, check_url=_any_url)
        authenticator = OcpiAuthenticator(db, peers)
        story = cls(store, peers, authenticator, Commands(intake), ChargingProfiles(intake))
        for one in terms:
            peer, _ = await peers.invite("peer", AT, one)
            story.ids.append(peer.peer_id)
        # 2.1.1 shows no session without its Location.
        place = owned_location(location(**OUR_PARTY, evses=[evse()]))
        await store.transact(lambda tx: publish(store, "locations", place, tx))
        return story

    async def happens(self, what: str, which: int, party: str, roles: tuple[str, ...]) -> None:
        peer_id, pair = self.ids[which], (party[:2], party[3:])
        self.authenticator.forget()
        try:
            if what == "register":
                await self._register(peer_id, roles, party)
            elif what == "register as both":
                await self._register(peer_id, roles, *PARTIES)
            elif what == "race":
                await self._race(roles, party)
            elif what == "leave":
                self.tokens.pop(peer_id, None)
                await self.peers.disconnect(peer_id, AT)
            elif what in switches.SWITCHES:
                await getattr(switches, what)(self.store, peer_id)
            elif what == "release":
                await parties.release(self.store, party)
            elif what == "move":
                await parties.move(self.store, party, peer_id)
                self._all_of(party, peer_id)
            elif what == "tell of client":
                await self._tell(peer_id, pair)
            elif what == "approve client":
                await client_switches.approve(self.store, peer_id, [pair])
            elif what == "refuse client":
                await client_switches.refuse(self.store, peer_id, [pair])
            elif what == "charge":
                await self._charge(party)
            else:
                await self._write_token(peer_id, party)
        except (PartyTaken, NoClaim, NotPossible):
            pass

    def _all_of(self, party: str, peer_id: str) -> None:
        for made in self.made:
            if made.party == party:
                made.holder = peer_id
        if party in self.cards:
            self.cards[party] = peer_id

    async def _race(self, roles: tuple[str, ...], party: str) -> None:
        """All register as the same party at once."""
        outcomes = await asyncio.gather(
            *(self._register(peer_id, roles, party) for peer_id in self.ids), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, PartyTaken):
                raise outcome

    async def _register(self, peer_id: str, roles: tuple[str, ...], *named: str) -> None:
        declared: list[dict[str, Any]] = [
            {"role": role, "country_code": party[:2], "party_id": party[3:]}
            for party in named
            for role in roles
        ]
        ours = new_token()
        await self.peers.connect(
            peer_id, our_token=ours, their_token=new_token(), now=AT, roles=declared,
            endpoints=SESSIONS, version=self._version_of(peer_id).number,
        )  # fmt: skip
        look_again(self.store.db)
        self.tokens[peer_id] = ours

    def _version_of(self, peer_id: str) -> OcpiVersion:
        """The peers speak one of OCPI's versions each."""
        every = list(VERSIONS.values())
        return every[self.ids.index(peer_id) % len(every)]

    async def _tell(self, peer_id: str, pair: tuple[str, str]) -> None:
        """A hub names a client (from others it is refused at the door); its word is taken."""
        if not (await self.peers.get(peer_id)).is_hub:
            return
        info = {
            "country_code": pair[0],
            "party_id": pair[1],
            "role": "EMSP",
            "status": "CONNECTED",
            "last_updated": "2026-01-01T00:00:00Z",
        }
        await client_switches.told(self.store, peer_id, info)
        await client_switches.approve_as_told(self.store, peer_id, on=True)

    async def _charge(self, party: str) -> None:
        claim = await claims.of(self.store.db, party)
        if claim is None:
            return
        made = Made(f"S{len(self.made)}", claim["history"][-1], party, claim["last"])
        fields = session(**OUR_PARTY, id=made.id, last_updated="2026-01-01T00:00:00Z")
        obj = OwnedObject("BE", "BEC", (made.id,), fields, AT, audience=made.audience)

        async def work(tx: Tx) -> None:
            await publish(self.store, "sessions", obj, tx)

        await self.store.transact(work)
        self.made.append(made)
        marks = await MARKS.of(self.store.db).find({"key": f"be/bec/{made.id.lower()}"})
        assert {mark["peer_id"] for mark in marks} <= {made.holder}, "pushed across"

    async def _write_token(self, peer_id: str, party: str) -> None:
        """As the door and the router have it: who may not speak for the party gets 404."""
        peer = await self._caller(peer_id)
        if peer is None or not await self.authenticator.may_speak_for(peer, party):
            return
        claim = await claims.of(self.store.db, party)
        assert claim is not None and peer_id == (claim["peer_id"] or claim["last"]), "across"
        fields = token(country_code=party[:2].upper(), party_id=party[3:].upper(), uid=TOKEN_UID)
        await Tokens(self.store).create(fields)
        self.cards[party] = peer_id

    async def _caller(self, peer_id: str) -> Peer | None:
        """The peer as the door knows it by its token, or None where it is not let in."""
        header = encoded(self.tokens[peer_id]) if peer_id in self.tokens else None
        caller = await self.authenticator.caller(header)
        return None if caller is None else caller.peer

    async def nobody_is_marked_or_speaks_across(self) -> None:
        db = self.store.db
        marked = {
            made.audience: {
                peer["_id"] for peer in await receivers(db, ["sessions"], STATUSES, [made.audience])
            }
            for made in self.made
        }
        for peer_id in self.ids:
            peer = await self.peers.get(peer_id)
            for made in self.made:
                sees = may_see("sessions", reader_of(peer.document), made.audience)
                in_its_name = made.audience in (await audiences_for(db, peer, made.party) or ())
                if sees or in_its_name or peer_id in marked[made.audience]:
                    assert made.holder == peer_id, (peer_id, made)
            for party in PARTIES:
                claim = await claims.of(db, party)
                if claim is not None and await speaks_for(db, peer, party):
                    lent = claim["last"] if claim["peer_id"] is None else None
                    assert peer_id in (claim["peer_id"], lent), (peer_id, claim)

    async def nobody_reads_or_commands_across(self) -> None:
        """What each peer gets by asking, in the name of each party and in none's."""
        self.authenticator.forget()
        for peer_id in self.ids:
            peer = await self._caller(peer_id)
            if peer is None:
                continue
            opened = (*peer.audiences, *peer.client_audiences)
            await self._asks(peer, Reader.of(peer.settings, peer.speaks_for, opened))
            for party in PARTIES:
                audiences = await self.authenticator.audiences_for(peer, party)
                if audiences is None:
                    continue
                await self._asks(peer, Reader.of(peer.settings, (party,), audiences))
                country_code, party_id = party[:2], party[3:]
                kept = await Tokens(self.store).get(
                    TOKEN_UID, country_code=country_code, party_id=party_id
                )
                if kept is not None:
                    assert self.cards[party] == peer.peer_id, (peer.peer_id, party)

    async def _asks(self, peer: Peer, reader: Reader) -> None:
        sessions = Sessions(self.store)
        unsaid.look_again(self.store)
        page, total, _ = await sessions.list({"limit": 100}, reader=reader, form=peer.form)
        its_own = {made.id for made in self.made if made.holder == peer.peer_id}
        shown = {json.loads(session)["id"] for session in page}
        assert shown <= its_own and total == len(shown), (peer.peer_id, shown)
        opened = {made.id for made in self.made if may_see("sessions", reader, made.audience)}
        assert shown == opened, (peer.form.number, shown)
        asked: dict[str, Any] = {
            "reader": reader,
            "peer_id": peer.peer_id,
            "response_url": "https://x.example/1",
        }
        for made in self.made:
            if made.holder == peer.peer_id:
                continue
            assert await sessions.get(made.id, reader=reader, form=peer.form) is None
            stopped = await self.commands.do(
                Action.send_command,
                data={"session_id": made.id, "response_url": asked["response_url"]},
                command="STOP_SESSION",
                **asked,
            )
            steered = await self.profiles.do(
                Action.send_get_chargingprofile, session_id=made.id, duration=60, **asked
            )
            assert stopped["result"] == steered["result"] == UNKNOWN_SESSION, (peer.peer_id, made)
        for party in PARTIES:
            if party in reader.parties:
                continue
            card = token(country_code=party[:2].upper(), party_id=party[3:].upper())
            started = await self.commands.do(
                Action.send_command,
                data={
                    "token": card,
                    "location_id": "LOC1",
                    "response_url": asked["response_url"],
                },
                command="START_SESSION",
                **asked,
            )
            assert started["result"] == "REJECTED", (peer.peer_id, party)
