"""The cards that stations know themselves: which, in parts, and kept up to date."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.objects.tokens import owned_token
from domain.ocpp import configurations, local_lists
from domain.ocpp.local_lists import ListNotSent
from domain.peers.peer_document import PEERS, PeerDocument
from domain.peers.statuses import CONNECTED
from tests.conftest import Loop
from tests.domain.authorization.test_authorization import token

PARTY = "de*tnm"


class Box:
    """A station's list. `has` None: it has none."""

    def __init__(self) -> None:
        self.version: int | None = 0
        self.cards: list[str] = []
        self.parts: list[int] = []

    async def ask(self, op: str, fields: JsonMapping) -> JsonObject:
        if op == "local_list_version":
            if self.version is None:
                return {"result": "NOT_SUPPORTED", "message": "NotImplemented"}
            return {"result": "ACCEPTED", "version": self.version}
        assert self.version is not None and fields["version"] > self.version
        uids = [row["uid"] for row in fields["entries"]]
        self.cards = uids if fields["full"] else self.cards + uids
        self.version = fields["version"]
        self.parts.append(len(uids))
        return {"result": "ACCEPTED"}


@pytest.fixture
def store(db: Database, loop: Loop) -> DbInterface:
    store = DbInterface(db)
    peer: PeerDocument = {"_id": "peer-tnm", "status": CONNECTED, "parties": [PARTY]}
    loop.run(PEERS.of(db).insert_one(peer))
    return store


async def knows(store: DbInterface, uid: str, **changed: object) -> None:
    card = {**token(uid, whitelist="ALWAYS"), **changed}
    await store.create("tokens", owned_token(card))


async def told(store: DbInterface, **values: str) -> None:
    async def work(tx: Tx) -> None:
        rows = [{"key": key, "value": value} for key, value in values.items()]
        await configurations.keep(tx, "CP-007", rows, whole=True)

    await store.transact(work)


def test_cards_that_charge_unasked_are_on_it(loop: Loop, store: DbInterface) -> None:
    box = Box()

    async def scenario() -> None:
        await knows(store, "ALWAYS")
        await knows(store, "ALLOWED", whitelist="ALLOWED")
        await knows(store, "OFFLINE", whitelist="ALLOWED_OFFLINE")
        await knows(store, "NEVER", whitelist="NEVER")
        await knows(store, "BLOCKED", valid=False)
        await knows(store, "APP", type="APP_USER")
        await knows(store, "NOBODYS", party_id="XXX")
        sent = await local_lists.send(store, "CP-007", box.ask, party=None)
        assert (sent["cards"], sent["version"]) == (3, 1)
        assert box.cards == ["ALWAYS", "ALLOWED", "OFFLINE"]

    loop.run(scenario())


def test_it_is_sent_in_parts_that_the_station_takes(loop: Loop, store: DbInterface) -> None:
    box = Box()
    box.version = 7

    async def scenario() -> None:
        for n in range(5):
            await knows(store, f"CARD-{n}")
        await told(store, SendLocalListMaxLength="2", LocalAuthListMaxLength="5")
        sent = await local_lists.send(store, "CP-007", box.ask, party=PARTY)
        assert (box.parts, sent["version"]) == ([2, 2, 1], 10)
        await knows(store, "ONE-TOO-MANY")
        with pytest.raises(ListNotSent, match="takes 5 cards, and there are more"):
            await local_lists.send(store, "CP-007", box.ask, party=PARTY)

    loop.run(scenario())


def test_it_is_sent_anew_where_cards_or_the_station_have_changed(
    loop: Loop, store: DbInterface
) -> None:
    box = Box()

    async def brought() -> bool:
        return await local_lists.bring_up_to_date(store, "CP-007", box.ask)

    async def scenario() -> None:
        await knows(store, "ONE")
        assert not await brought()  # it was never given one
        await local_lists.send(store, "CP-007", box.ask, party=None)
        assert not await brought()
        await knows(store, "TWO")
        assert await brought()
        assert box.cards == ["ONE", "TWO"]
        box.version, box.cards = 0, []  # it was put back to what it came with
        assert await brought()
        assert box.cards == ["ONE", "TWO"]
        await local_lists.empty(store, "CP-007", box.ask)
        assert box.cards == []
        assert await local_lists.of_station(store.db, "CP-007") is None
        assert not await brought()

    loop.run(scenario())


def test_a_station_without_a_list(loop: Loop, store: DbInterface) -> None:
    box = Box()
    box.version = None
    with pytest.raises(ListNotSent, match="NotImplemented"):
        loop.run(local_lists.send(store, "CP-007", box.ask, party=None))
    box.version = -1
    with pytest.raises(ListNotSent, match="has no local list"):
        loop.run(local_lists.send(store, "CP-007", box.ask, party=None))
