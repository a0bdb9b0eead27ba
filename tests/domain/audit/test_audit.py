"""The audit log: written with the change, sealed into a chain that shows what was done to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.audit import chain, entries
from domain.audit.chain import AUDIT_CHAIN, Sealing, drop, head_of, seal
from domain.audit.entries import AUDIT, About, act, record, record_refusal
from domain.audit.listing import changes_of, listed
from domain.audit.redaction import REDACTED, shown
from domain.audit.refusals import MAX_IN_WINDOW, WINDOWS
from domain.audit.verification import Verified, verify
from domain.operators.actor import Actor, ActorKind, Role, acting_as
from domain.paging import BadCursor
from domain.trace import bound
from tests.clock import Clock
from tests.conftest import Loop

INES = Actor(ActorKind.PERSON, "ines", Role.MONEY)


@pytest.fixture
def store(db: Database) -> DbInterface:
    db.clock = Clock()
    return DbInterface(db)


def written(store: DbInterface, loop: Loop, number: int = 1, actor: Actor = INES) -> None:
    async def work(tx: Tx) -> None:
        for n in range(number):
            await record(
                tx,
                "peers.suspend",
                entries.peer(f"peer-{n}"),
                before={"status": "connected"},
                after={"status": "suspended"},
            )

    async def act_so() -> None:
        with acting_as(actor):
            await store.transact(work)

    loop.run(act_so())


def verified(store: DbInterface, loop: Loop, head: str | None = None) -> Verified:
    return loop.run(verify(store.db, head))


def test_an_entry_says_who_did_what_to_what_and_what_changed(
    store: DbInterface, loop: Loop
) -> None:
    async def work(tx: Tx) -> None:
        await record(
            tx,
            "peers.status",
            entries.peer("peer-1"),
            entries.party("nl*tnm"),
            before={"status": "connected", "their_token": "s3cret"},
            after={
                "status": "suspended",
                "their_token": "s3cr3t",
                "url": "https://u:p@x.example/?k=1",
            },
        )

    async def suspend() -> None:
        with acting_as(INES), bound(correlation_id="c-1"), act("peers.suspend") as doing:
            await store.transact(work)
            assert doing.recorded

    loop.run(suspend())
    [row], more = loop.run(listed(store.db, limit=10))
    assert more is None
    assert {name: row[name] for name in row if name not in ("id", "at")} == {
        "by": {"kind": "person", "name": "ines", "role": "money"},
        "action": "peers.suspend",
        "about": [{"kind": "peer", "id": "peer-1"}, {"kind": "party", "id": "NL/TNM"}],
        "before": {"status": "connected", "their_token": REDACTED},
        "after": {"status": "suspended", "their_token": REDACTED, "url": "https://x.example/"},
        "result": "done",
        "why": None,
        "correlation_id": "c-1",
        "seq": None,
        "hash": None,
    }
    assert row["at"] == store.db.now()
    assert changes_of(row)[0] == ("status", "connected", "suspended")


def test_it_is_written_with_the_change_or_not_at_all(store: DbInterface, loop: Loop) -> None:
    async def work(tx: Tx) -> None:
        await record(tx, "peers.suspend", entries.peer("peer-1"))
        raise ValueError("the change came to nothing")

    with pytest.raises(ValueError, match="nothing"):
        loop.run(store.transact(work))
    assert loop.run(AUDIT.of(store.db).count({})) == 0


def test_entries_are_found_by_what_they_are_about_by_whom_and_page_by_page(
    store: DbInterface, loop: Loop
) -> None:
    written(store, loop, 5)
    written(store, loop, 1, Actor(ActorKind.KEY, "nagios", Role.VIEWER))
    everything, _ = loop.run(listed(store.db, limit=100))
    assert len(everything) == 6
    about, _ = loop.run(listed(store.db, about="PEER-0", limit=100))
    assert sorted(row["by"]["name"] for row in about) == ["ines", "nagios"]
    assert len(loop.run(listed(store.db, by="nagios", limit=100))[0]) == 1
    assert len(loop.run(listed(store.db, action="peers.block", limit=100))[0]) == 0
    pages, cursor = [], None
    while True:
        rows, cursor = loop.run(listed(store.db, limit=4, cursor=cursor))
        pages += rows
        if cursor is None:
            break
    assert pages == everything
    for bad in ("", "x", "ffffffffffff-" + "0" * 32, "e677d21fdbff-x"):
        with pytest.raises(BadCursor):
            loop.run(listed(store.db, limit=1, cursor=bad))


def test_a_party_is_found_however_it_is_written(store: DbInterface, loop: Loop) -> None:
    loop.run(store.transact(lambda tx: record(tx, "parties.move", entries.party("nl*tnm"))))
    for said in ("NL/TNM", "nl*tnm", "nl/tnm"):
        assert len(loop.run(listed(store.db, about=said, limit=2))[0]) == 1


def test_a_sealed_chain_is_whole_and_its_head_proves_what_was_before(
    store: DbInterface, loop: Loop
) -> None:
    written(store, loop, 3)
    assert verified(store, loop).unsealed == 3
    assert loop.run(seal(store)) == 3
    early = verified(store, loop)
    assert (early.entries, early.unsealed, early.problems) == (3, 0, [])
    written(store, loop, 2)
    assert loop.run(seal(store)) == 2
    later = verified(store, loop, early.head)
    assert later.whole and later.head != early.head
    assert loop.run(seal(store)) == 0
    other = verified(store, loop, "f" * 64)
    assert other.problems == [f"{'f' * 64} is no longer (or never was) in the chain"]


@pytest.mark.parametrize(
    ("query", "change", "said"),
    [
        ({"seq": 2}, {"$set": {"who.name": "eve"}}, "entry 2 (.*) is not what was sealed"),
        ({"seq": 2}, {"$set": {"after": "{}"}}, "entry 2 (.*) is not what was sealed"),
        ({"seq": 2}, {"$set": {"hash": "0" * 64}}, "entry 2 (.*) is not what was sealed"),
        ({"seq": 2}, {"$unset": {"seq": ""}}, "entry 2 is missing"),
        ({"seq": 3}, {"$set": {"seq": 9}}, "it ends at 2, but the head is 3"),
    ],
)
def test_what_was_done_to_a_sealed_entry_is_seen(
    store: DbInterface, loop: Loop, query: dict[str, int], change: dict[str, object], said: str
) -> None:
    written(store, loop, 3)
    loop.run(seal(store))
    loop.run(AUDIT.of(store.db).update_one(query, change))
    found = verified(store, loop)
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(found.problems)


def test_an_entry_that_is_gone_is_missed(store: DbInterface, loop: Loop) -> None:
    written(store, loop, 5)
    loop.run(seal(store))
    loop.run(AUDIT.of(store.db).delete_many({"seq": {"$in": [3, 4]}}))
    found = verified(store, loop)
    assert found.problems[0] == "entries 3 to 4 are missing"
    loop.run(AUDIT.of(store.db).delete_many({"seq": {"$gt": 2}}))
    assert verified(store, loop).problems == ["it ends at 2, but the head is 5"]
    # A chain written anew as a whole fits together: only a head from elsewhere tells.
    whole = verified(store, loop).head
    loop.run(AUDIT.of(store.db).delete_many({}))
    loop.run(AUDIT_CHAIN.of(store.db).delete_many({}))
    written(store, loop, 5)
    loop.run(seal(store))
    assert verified(store, loop).whole
    assert not verified(store, loop, whole).whole


def test_what_nobody_seals_is_a_finding_after_a_while(store: DbInterface, loop: Loop) -> None:
    written(store, loop)
    assert verified(store, loop).whole
    store.db.clock.advance(120)  # type: ignore[attr-defined]
    [said] = verified(store, loop).problems
    assert "wait for being sealed since" in said


def test_of_two_that_seal_at_once_none_seals_twice(store: DbInterface, loop: Loop) -> None:
    written(store, loop, 20)

    async def race() -> list[int]:
        return await asyncio.gather(*(seal(store) for _ in range(4)))

    assert sorted(loop.run(race())) == [0, 0, 0, 20]
    found = verified(store, loop)
    assert (found.entries, found.problems) == (20, [])


def test_the_job_seals_and_drops_what_is_too_old_behind_an_anchor(
    store: DbInterface, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "AT_ONCE", 2)
    written(store, loop, 5)
    first = Sealing(store, days=10)
    loop.run(first.round())
    known = verified(store, loop)
    assert (known.entries, known.whole) == (5, True)
    store.db.clock.advance(timedelta(days=11).total_seconds())  # type: ignore[attr-defined]
    written(store, loop, 2)
    loop.run(first.round())
    assert loop.run(AUDIT.of(store.db).count({})) == 7  # it looks once an hour
    loop.run(AUDIT_CHAIN.of(store.db).update_one({"_id": "head"}, {"$unset": {"drop_due": ""}}))
    loop.run(first.round())
    left = verified(store, loop, known.head)
    assert (left.entries, left.first, left.last, left.problems) == (2, 6, 7, [])
    assert loop.run(head_of(store.db))["anchor_hash"] == known.head
    assert loop.run(drop(store, store.db.now())) == 0


def test_a_refusal_is_written_down_with_its_reason(store: DbInterface, loop: Loop) -> None:
    loop.run(
        store.transact(
            lambda tx: record_refusal(tx, "cdrs.credit", entries.cdr("C-1"), why="not allowed")
        )
    )
    [row], _ = loop.run(listed(store.db, about="c-1", limit=10))
    assert (row["result"], row["why"], row["by"]["name"]) == ("refused", "not allowed", "unnamed")


def test_who_is_refused_all_the_time_fills_no_store(store: DbInterface, loop: Loop) -> None:
    other = Actor(ActorKind.PERSON, "rudi", Role.VIEWER)

    async def refuse(tx: Tx, about: About) -> None:
        await record_refusal(tx, "cdrs.credit", about, why="no")

    async def refused(actor: Actor, times: int) -> None:
        with acting_as(actor):
            for n in range(times):
                await store.transact(partial(refuse, about=entries.cdr(f"C-{n}")))

    def of(actor: Actor) -> list[tuple[str, str | None]]:
        rows, _ = loop.run(listed(store.db, by=actor.name, limit=100))
        return [(row["action"], row["why"]) for row in reversed(rows)]

    one = ("cdrs.credit", "no")
    loop.run(refused(INES, MAX_IN_WINDOW + 7))
    loop.run(refused(other, 1))
    written(store, loop, 2)  # what she may do is written down, whatever else she tries
    done = [("peers.suspend", None)] * 2
    assert (of(INES), of(other)) == ([one] * MAX_IN_WINDOW + done, [one])

    store.db.clock.advance(61)  # type: ignore[attr-defined]
    sealing = Sealing(store, days=0)
    loop.run(sealing.round())
    left_out = "audit.refusals_left_out", "refused 7 times more within a minute: no entry for each"
    assert of(INES)[MAX_IN_WINDOW + 2 :] == [left_out]
    loop.run(sealing.round())
    assert verified(store, loop).entries == MAX_IN_WINDOW + 4
    assert loop.run(WINDOWS.of(store.db).count({})) == 0

    loop.run(refused(INES, MAX_IN_WINDOW + 3))
    store.db.clock.advance(61)  # type: ignore[attr-defined]
    loop.run(refused(INES, 1))  # before the job comes by
    assert of(INES)[-2:] == [
        ("audit.refusals_left_out", "refused 3 times more within a minute: no entry for each"),
        one,
    ]


@pytest.mark.parametrize(
    ("value", "repeated"),
    [
        ({"token_hashes": [{"hash": "x"}]}, {"token_hashes": REDACTED}),
        (
            {"command_key": b"x", "public_key": "04ab"},
            {"command_key": REDACTED, "public_key": "04ab"},
        ),
        ({"cdr_token": {"uid": "04AB"}}, {"cdr_token": REDACTED}),
        ({"evse_uid": "E1", "uid": "04AB"}, {"evse_uid": "E1", "uid": REDACTED}),
        ({"settings.narrowed": True}, {"settings.narrowed": True}),
        ({"settings.password": "x"}, {"settings.password": REDACTED}),
        (
            {"versions_url": "https://a:b@c.example:99/x?k=s#f"},
            {"versions_url": "https://c.example:99/x"},
        ),
        ({"name": "x" * 600}, {"name": "x" * 500 + "…"}),
    ],
)
def test_no_secret_and_no_card_is_repeated(value: object, repeated: object) -> None:
    assert shown(value) == repeated


@pytest.mark.parametrize("query", [{}, {"about": "p"}, {"by": "x"}, {"action": "a.b"}])
def test_what_is_asked_of_the_log_finds_its_index(
    store: DbInterface, loop: Loop, query: dict[str, str]
) -> None:
    names = {"about": "ids", "by": "who.name", "action": "action"}
    asked = {names[name]: value for name, value in query.items()}

    async def plan() -> str:
        found = AUDIT.of(store.db).driver.find(asked).sort([("at", -1), ("_id", -1)])
        return str((await found.explain())["queryPlanner"]["winningPlan"])

    stages = loop.run(plan())
    assert "COLLSCAN" not in stages
    assert "'stage': 'SORT'" not in stages
