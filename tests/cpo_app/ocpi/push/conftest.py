"""A store, peers that take pushes, and the push itself, in the tests' own loop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest

from cpo_app.ocpi.peer_client.client import PeerClient
from cpo_app.ocpi.push import Push
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox import due_marks
from domain.outbox.publishing import publish, publish_all, withdraw
from domain.peers.peers import Peers
from domain.peers.terms import Terms
from domain.secrets import Vault, new_token
from domain.views.in_use import look_again
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver, receiving
from tests.settings_of import settings_of


@dataclass
class House:
    """The CPO's side as a test sees it."""

    db: Database
    loop: Loop
    stack: contextlib.ExitStack
    store: DbInterface = field(init=False)
    peers: Peers = field(init=False)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = DbInterface(self.db)
        self.peers = Peers(self.db, Vault("k" * 32))

    def emsp(self, **settings: Any) -> Receiver:
        """A running receiver that nobody has registered with yet."""
        return self.stack.enter_context(receiving(self.loop, **settings))

    def connect(
        self, receiver: Receiver, *parties: str, modules: tuple[str, ...] = (), slash: str = "",
        role: str = "EMSP", **facts: Any,
    ) -> str:  # fmt: skip
        """Register the receiver as a peer with these parties; its id."""
        return self.loop.run(
            connected(self.peers, receiver, *parties, modules=modules, slash=slash, role=role,
                      tokens=self.tokens, **facts)
        )  # fmt: skip

    def peer(self, *parties: str, **settings: Any) -> tuple[Receiver, str]:
        receiver = self.emsp(**settings)
        return receiver, self.connect(receiver, *(parties or ("DE*TNM",)))

    def publish(self, module: str, obj: OwnedObject) -> str:
        async def work(tx: Tx) -> str:
            return await publish(self.store, module, obj, tx)

        return self.loop.run(DbInterface(self.db).transact(work))

    def locations(self, *locations: dict[str, Any]) -> None:
        for fields in locations:
            self.publish("locations", owned_location(fields))

    def publish_all(self, module: str, objects: list[OwnedObject]) -> list[str]:
        async def work(tx: Tx) -> list[str]:
            return await publish_all(self.store, module, objects, tx)

        return self.loop.run(DbInterface(self.db).transact(work))

    def withdraw(self, module: str, key: str) -> bool:
        async def work(tx: Tx) -> bool:
            return await withdraw(self.store, module, key, tx)

        return self.loop.run(DbInterface(self.db).transact(work))

    def marks(self, **query: Any) -> list[dict[str, Any]]:
        async def read() -> list[dict[str, Any]]:
            return await self.db["marks"].find(query).sort("_id", 1).to_list(None)

        return self.loop.run(read())

    def push(self, **changed: Any) -> Push:
        """A running push; it ends with the test, or by `halt`."""
        return self.stack.enter_context(self.pushing(**changed))

    @contextlib.contextmanager
    def pushing(self, *, timeout_s: float = 1.0, **changed: Any) -> Iterator[Push]:
        settings = settings_of(CPO_PEER_TIMEOUT_S=timeout_s, **changed)

        async def start() -> tuple[Push, PeerClient]:
            client = PeerClient(allow_private=True)
            push = Push(settings, self.store, self.peers, client)
            await push.start()
            return push, client

        async def stop() -> None:
            await push.stop()
            await client.aclose()

        push, client = self.loop.run(start())
        try:
            yield push
        finally:
            self.loop.run(stop())

    def until(self, condition: Callable[[], object], timeout_s: float = 20) -> None:
        """Ask the store until it is so."""
        ends = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < ends, f"it never came to hold; marks: {self.marks()}"
            time.sleep(0.02)

    def until_nothing_is_left(self, timeout_s: float = 20) -> None:
        self.until(lambda: not self.marks(), timeout_s)

    def held_back(self, peer_id: str) -> list[due_marks.HeldBack]:
        return self.loop.run(due_marks.held_back(self.db, peer_id, 10))


async def connected(
    peers: Peers,
    receiver: Any,
    *parties: str,
    modules: tuple[str, ...] = (),
    slash: str = "",
    role: str = "EMSP",
    tokens: dict[str, str] | None = None,
    **facts: Any,
) -> str:
    now = datetime.now(timezone.utc)
    peer, _ = await peers.invite("+".join(parties), now, Terms(any_party=True, hub=True))
    token = new_token()
    if tokens is not None:
        tokens[peer.peer_id] = token
    roles = [
        {
            "role": role,
            "country_code": party[:2],
            "party_id": party[3:],
            "business_details": {"name": party},
        }
        for party in parties
    ]
    await peers.connect(
        peer.peer_id,
        our_token=new_token(),
        their_token=token,
        now=now,
        **{
            "roles": roles,
            "endpoints": receiver.endpoints(*modules, slash=slash),
            "versions_url": "https://peer.example/versions",
            **facts,
        },
    )
    return peer.peer_id


@pytest.fixture
def house(db: Database, loop: Loop) -> Iterator[House]:
    look_again(db)  # the versions that another test's peers spoke are none of this one's
    with contextlib.ExitStack() as stack:
        yield House(db, loop, stack)
