"""A card that charged: where its number lies, and that it goes when bills are kept no longer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.objects.tokens import owned_token
from domain.retention.retention import Keep, forget
from domain.schemas.cdrs import CDR
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.central.conftest import World
from tests.cpo_app.central.test_signed_sessions import Signed

DOCS = Path(__file__).parents[3] / "docs" / "security.md"
SHORT = Keep(status_changes=0, session_details=0, reservations=0, commands=0, tokens=0, cards=400)


class Charged(Signed):
    def charge(self, **changes: Any) -> str:
        """By the key that its meter signs with."""
        self.believe((self.state_dir / "meter-CP-001.pub").read_text(), "1")
        return super().charge(**changes)


@pytest.fixture
def signed(world: World, tmp_path: Path) -> Iterator[Signed]:
    signed = Charged(world, tmp_path)
    yield signed
    signed.engine.journal.close()


def lies_in(signed: Signed, *words: str) -> dict[str, int]:
    """In how many documents of each collection one of these words stands."""
    db = signed.central.store.db

    async def look() -> dict[str, int]:
        found: dict[str, int] = {}
        for name in await db.client[db.name].list_collection_names():
            for document in await db[name].find({}).to_list(None):
                if any(word.lower() in str(document).lower() for word in words):
                    found[name] = found.get(name, 0) + 1
        return found

    return signed.world.loop.run(look())


def forgotten(signed: Signed, keep: Keep = SHORT) -> Any:
    return signed.world.loop.run(forget(signed.central.store.db, keep, pause_s=0))


def test_after_its_time_the_card_is_out_of_the_bills_and_they_stay(signed: Signed) -> None:
    session_id = signed.charge()
    (before,) = signed.cdrs()
    card = before["cdr_token"]
    words = (card["uid"], "CARD|1")  # as the meter's data names it
    places = lies_in(signed, *words)
    assert places.keys() == {"charging_sessions", "sessions", "cdrs"}
    # The page that tells where cards lie knows them all.
    page = DOCS.read_text().split("## Personal data")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", page)) >= places.keys()

    assert forgotten(signed).cards == 0, "young"
    signed.world.clock.advance(timedelta(days=401).total_seconds())
    assert forgotten(signed).cards == 1
    assert lies_in(signed, *words) == {}
    (after,) = signed.cdrs()
    assert after["cdr_token"] == {**card, "uid": "ERASED", "contract_id": "ERASED"}
    assert before["signed_data"] and "signed_data" not in after
    kept = before.keys() - {"cdr_token", "signed_data", "authorization_reference"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    CDR.parse_obj(after)
    assert signed.inner(session_id)["token"]["uid"] == "ERASED"
    assert forgotten(signed).cards == 0


def test_a_session_that_needs_a_look_keeps_its_card_until_it_had_it(signed: Signed) -> None:
    session_id = signed.charge()
    db, run = signed.central.store.db, signed.world.loop.run
    held = {"$set": {"held": {"since": db.now(), "why": "too much energy"}}}
    run(SESSIONS.of(db).update_one({"_id": session_id}, held))
    signed.world.clock.advance(timedelta(days=401).total_seconds())
    assert forgotten(signed).cards == 0
    run(SESSIONS.of(db).update_one({"_id": session_id}, {"$set": {"held": None}}))
    assert forgotten(signed).cards == 1, "nights later it is not passed over"


def test_tokens_that_nobody_means_go_and_good_ones_stay(signed: Signed) -> None:
    store, run = signed.central.store, signed.world.loop.run
    old = (store.db.now() - timedelta(days=401)).strftime("%Y-%m-%dT%H:%M:%SZ")
    mine: dict[str, Any] = {
        "country_code": "NL",
        "party_id": "TNM",
        "type": "RFID",
        "contract_id": "C",
    }
    mine |= {
        "type": "RFID",
        "issuer": "I",
        "whitelist": "ALWAYS",
        "valid": True,
        "last_updated": old,
    }
    young = store.db.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    given: dict[str, dict[str, Any]] = {
        "good": {},
        "ended": {"valid": False},
        "just-ended": {"valid": False, "last_updated": young},
        "left": {"party_id": "GON"},
        "just-left": {"party_id": "GON", "last_updated": young},
    }

    async def story() -> set[str]:
        for collection in ("tokens", "counts"):
            await store.db[collection].delete_many({})
        await store.db["peers"].insert_one({"_id": "p", "status": "blocked", "parties": ["nl*tnm"]})
        for uid, changes in given.items():
            await store.create("tokens", owned_token({**mine, "uid": uid, **changes}))
        gone = await forget(store.db, Keep(0, 0, 0, commands=0, tokens=400, cards=0), pause_s=0)
        assert gone.tokens == 2
        rows = await store.db["counts"].find({"module": "tokens"}).to_list(None)
        assert sum(row["n"] for row in rows) == 3
        return {row["lid"] for row in await store.objects("tokens").documents({})}

    assert run(story()) == {"good", "just-ended", "just-left"}


def test_commands_go_when_they_are_final_for_long(signed: Signed) -> None:
    db, run = signed.central.store.db, signed.world.loop.run

    async def story() -> list[str]:
        for id_, days in (("old", 8), ("young", 6)):
            done = db.now() - timedelta(days=days)
            await db["commands"].insert_one({"_id": id_, "finished_at": done})
        await db["commands"].insert_one({"_id": "open"})
        gone = await forget(db, Keep(0, 0, 0, commands=7, tokens=0, cards=0), pause_s=0)
        assert gone.commands == 1
        return sorted(row["_id"] for row in await db["commands"].find({}).to_list(None))

    assert run(story()) == ["open", "young"]
