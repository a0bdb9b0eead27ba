"""Our side of the token tests: a store, peers registered with eMSPs on loopback, one client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

from auth.authenticator import OcpiAuthenticator
from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.peer_services.realtime_authorization import RealtimeAuthorization
from cpo_app.ocpi.peer_services.token_pull import TokenPull
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.peers import client_switches, switches
from domain.peers.peers import Peers
from domain.peers.terms import Terms
from domain.secrets import Vault, new_token
from tests.conftest import Loop
from tests.peers.emsp import Emsp, emsp_on
from tests.settings_of import settings_of


class TokenWorld:
    def __init__(self, db: Database, loop: Loop, stack: ExitStack, **settings: Any) -> None:
        self.db, self.loop, self._stack = db, loop, stack
        self.store = DbInterface(db)
        self.peers = Peers(db, Vault("k" * 32))
        self.authenticator = OcpiAuthenticator(db, self.peers)
        self.client = PeerClient(allow_private=True)
        self.now = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
        self.settings = settings_of(
            **{"COUNTRY_CODE": "NL", "PARTY_ID": "EVC", "CPO_TOKEN_PULL_INTERVAL_S": 1000}
            | settings,
        )

    def emsp(self, *parties: str, role: str = "EMSP") -> tuple[Emsp, str]:
        """An eMSP that has shaken hands with us, and its peer_id."""
        emsp = self._stack.enter_context(emsp_on(self.loop, *parties))
        return emsp, self.connect(emsp, role)

    def connect(self, emsp: Emsp, role: str = "EMSP", url: str = "", version: str = "2.2.1") -> str:
        roles = [{**one, "role": role} for one in emsp.credentials()["roles"]]

        terms = Terms(any_party=True, hub=True)

        async def work() -> str:
            peer, _ = await self.peers.invite("eMSP", self.now, terms)
            await self.peers.connect(
                peer.peer_id,
                our_token=new_token(),
                their_token=emsp.token,
                now=self.now,
                versions_url=emsp.versions_url,
                version=version,
                roles=roles,
                endpoints=[
                    {
                        "identifier": "tokens",
                        "role": "SENDER",
                        "url": url or f"{emsp.base_url}/tokens",
                    },
                    *(
                        {"identifier": name, "role": "SENDER", "url": f"{emsp.base_url}/{name}"}
                        for name in ("payments",)
                        if emsp.endpoints.get(name) == "SENDER"
                    ),
                ],
            )
            return peer.peer_id

        return self.loop.run(work())

    def approve(self, hub_id: str, *parties: str) -> None:
        """The operator's yes to clients ("FR*CLI") of a hub."""
        named = [(party[:2], party[3:]) for party in parties]
        self.loop.run(client_switches.approve(self.store, hub_id, named))

    def ask_unknown(self, *peer_ids: str) -> None:
        """The operator marks them: they are shown cards that nobody knows."""
        for peer_id in peer_ids:
            self.loop.run(switches.ask_unknown(self.store, peer_id, on=True))

    def set_peer(self, peer_id: str, **fields: Any) -> None:
        self.loop.run(self.peers.set(peer_id, self.now, **fields))

    def last_error(self, peer_id: str) -> str:
        error = self.loop.run(self.peers.get(peer_id)).last_error
        return "" if error is None else str(error["text"])

    def clock(self) -> datetime:
        return self.now

    def lease_ends(self) -> None:
        """Time passes until nobody pulls any more."""

        async def end() -> None:
            await self.db["token_pulls"].update_many({}, [{"$set": {"lease.until": "$$NOW"}}])

        self.loop.run(end())

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def realtime(self) -> RealtimeAuthorization:
        return RealtimeAuthorization(self.peers, self.client, self.authenticator.may_speak_for)

    def worker(self) -> TokenPull:
        return TokenPull(
            self.store,
            self.settings,
            self.peers,
            self.client,
            self.authenticator.may_speak_for,
            clock=self.clock,
        )

    def round(self, worker: TokenPull | None = None) -> None:
        """One round of the background work, and all that it begins."""
        worker = worker or self.worker()

        async def work() -> None:
            await worker.round()
            await worker.settled()

        self.loop.run(work())

    def tokens(self) -> dict[str, str]:
        """uid to issuer of all that we keep."""

        async def work() -> dict[str, str]:
            found = await self.store.objects("tokens").documents({})
            return {one["fields"]["uid"]: one["fields"]["issuer"] for one in found}

        return self.loop.run(work())

    def state(self, peer_id: str) -> dict[str, Any] | None:
        async def work() -> dict[str, Any] | None:
            return await self.db["token_pulls"].find_one({"_id": peer_id})

        return self.loop.run(work())


@contextmanager
def token_world(db: Database, loop: Loop, **settings: Any) -> Iterator[TokenWorld]:
    with ExitStack() as stack:
        world = TokenWorld(db, loop, stack, **settings)
        stack.callback(lambda: loop.run(world.client.aclose()))
        yield world
