"""A store of before there were claims: each party gets its one holder, nobody gains anything."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from db_interface.collection import Collection
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping
from domain.peers import claims, parties
from domain.peers.peer_document import PEERS
from domain.upgrades.step_1_claims import make_claims
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.objects import session

AT = datetime(2025, 1, 1, tzinfo=timezone.utc)


def role(party: str, name: str = "EMSP") -> dict[str, Any]:
    return {"role": name, "country_code": party[:2], "party_id": party[3:]}


class OldStore:
    """Peers as an earlier version wrote them: without terms."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop, self.store = db, loop, DbInterface(db)

    def peer(self, peer_id: str, status: str, age_days: int, *roles: dict[str, Any]) -> None:
        keys = sorted({f"{one['country_code']}*{one['party_id']}".lower() for one in roles})
        document: Any = {
            "_id": peer_id,
            "name": peer_id,
            "status": status,
            "roles": list(roles),
            "parties": keys,
            "created": AT - timedelta(days=age_days),
        }
        self.loop.run(PEERS.of(self.db).insert_one(document))

    def upgraded(self) -> dict[str, tuple[list[str], list[str]]]:
        """Of each peer: the parties that it is, and the roles that wait."""
        self.loop.run(make_claims(self.store))
        found = self.loop.run(PEERS.of(self.db).find({}, sort=[("_id", 1)]))
        return {
            peer["_id"]: (
                peer["parties"],
                [f"{one['party_id']} {one['role']}" for one in peer.get("waiting", ())],
            )
            for peer in found
        }

    def claim(self, party: str) -> Any:
        return self.loop.run(claims.of(self.db, party))


@pytest.fixture
def old(db: Database, loop: Loop) -> OldStore:
    return OldStore(db, loop)


def test_of_two_with_one_party_the_connected_one_keeps_it_else_the_older(
    old: OldStore, caplog: pytest.LogCaptureFixture
) -> None:
    old.peer("p1-blocked", "blocked", 9, role("DE*TNM"))
    old.peer("p2-connected", "connected", 1, role("DE*TNM"), role("DE*TWO"))
    old.peer("p3-younger", "connected", 2, role("NL*OLD"))
    old.peer("p4-older", "connected", 5, role("NL*OLD"))
    old.loop.run(old.store.create("sessions", session("S1")))

    with caplog.at_level(logging.WARNING, "cpo.peers"):
        after = old.upgraded()

    assert after == {
        "p1-blocked": ([], ["TNM EMSP"]),
        "p2-connected": (["de*tnm", "de*two"], []),
        "p3-younger": ([], ["OLD EMSP"]),
        "p4-older": (["nl*old"], []),
    }
    assert caplog.text.count("waits for the operator's yes") == 2
    claim = old.claim("de*tnm")
    assert (claim["peer_id"], claim["by"], claim["audiences"]) == (
        "p2-connected",
        claims.AT_START,
        ["de*tnm"],
    )
    holder = old.loop.run(PEERS.of(old.db).find_one({"_id": "p2-connected"}))
    assert holder is not None and holder["audiences"] == ["de*tnm", "de*two"]
    assert old.upgraded() == after, "done twice, it is done once"


def test_a_hub_waits_for_the_operators_word(old: OldStore) -> None:
    old.peer("hub", "connected", 1, role("FR*HUB", "HUB"), role("FR*HUB"))
    assert old.upgraded() == {"hub": (["fr*hub"], ["HUB HUB"])}


def test_who_has_left_keeps_its_party_and_is_nobody_until_it_comes_back(old: OldStore) -> None:
    old.peer("left", "disconnected", 1, role("DE*TNM"))
    assert old.upgraded() == {"left": ([], [])}
    assert old.claim("de*tnm")["peer_id"] == "left"


def test_what_is_for_a_party_without_a_peer_is_nobodys_until_it_is_moved(old: OldStore) -> None:
    old.loop.run(old.store.create("sessions", session("S1")))
    old.peer("new", "connected", 1, role("NL*NEW"))
    old.upgraded()
    claim = old.claim("de*tnm")
    assert (claim["peer_id"], claim["last"]) == (None, None)

    async def registers() -> list[str]:
        return await old.store.transact(lambda tx: claims.take(tx, "de*tnm", "new", claims.BY_PEER))

    assert old.loop.run(registers()) == ["de*tnm#1"], "nothing of before"
    old.loop.run(parties.move(old.store, "de*tnm", "new"))
    assert old.claim("de*tnm")["audiences"] == ["de*tnm", "de*tnm#1"]


def test_a_store_that_noted_that_it_has_claims_is_left_alone(old: OldStore) -> None:
    noted: Collection[JsonMapping] = Collection("migrations")
    old.loop.run(noted.of(old.db).insert_one({"_id": "claims"}))
    old.peer("p1", "connected", 1, role("DE*TNM"))
    assert old.upgraded() == {"p1": (["de*tnm"], [])}
    assert old.claim("de*tnm") is None
