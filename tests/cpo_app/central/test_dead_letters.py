"""A message that cannot be taken holds up no other for ever, and is kept until it is dealt with."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from cpo_app.central.telemetry import Handler, MessageRefused
from db_interface.transaction import Tx
from domain.charge_points.charge_points import ChargePoint
from domain.charge_points.dead_letters import (
    DEAD_LETTERS,
    MAX_REFUSED,
    MAX_TRIES,
    TRIES,
    DeadLetter,
    NoSuchLetter,
    message_of,
)
from domain.operator import money
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.central.conftest import Api, World, meter, state


class House:
    """A charge point whose meter values go to a handler that breaks off as it is told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shown = world.enrol("CP-001")
        self.broken: dict[int, Exception] = {}
        self.central = world.central(handlers=[Handler("meter", self)])
        self.api = world.api(self.central)
        self.api.register(self.shown)

    async def __call__(self, tx: Tx, charge_point: ChargePoint, message: dict[str, Any]) -> None:
        row = {"_id": message["seq"], "at": message["at"], "cp_id": charge_point["_id"]}
        await self.world.db["ledger"].insert_one(row, session=tx.mongo)
        if message["seq"] in self.broken:
            raise self.broken[message["seq"]]

    def send(self, *messages: dict[str, Any], **more: Any) -> tuple[int, int | None]:
        answer = self.api.telemetry(self.shown, *messages, **more)
        return answer.status_code, answer.json().get("acked")

    def taken(self) -> list[int]:
        async def read() -> list[int]:
            return [row["_id"] for row in await self.world.db["ledger"].find().to_list(None)]

        return sorted(self.world.loop.run(read()))

    def letters(self) -> list[DeadLetter]:
        return letters_of(self.world)

    def replay(self, id_: str) -> str | None:
        return self.world.loop.run(self.central.telemetry.replay(id_))


def letters_of(world: World) -> list[DeadLetter]:
    return world.loop.run(DEAD_LETTERS.of(world.db).find({}, sort=[("_id", 1)]))


@pytest.fixture
def house(world: World) -> House:
    return House(world)


def test_what_breaks_off_again_and_again_is_set_aside_and_the_rest_goes_on(house: House) -> None:
    house.broken[2] = RuntimeError("no such thing")
    batch = [meter(1), meter(2), meter(3)]
    for _ in range(MAX_TRIES - 1):
        assert house.send(*batch) == (500, None)
        assert (house.taken(), house.letters()) == ([], [])

    assert house.send(*batch) == (200, 2)
    assert house.send(*batch) == (200, 3)
    assert house.taken() == [1, 3]
    (kept,) = house.letters()
    assert (kept["_id"], kept["cp_id"], kept["kind"]) == ("CP-001/boot-1/2", "CP-001", "meter")
    assert (kept["reason"], kept["refused"]) == ("RuntimeError: no such thing", False)
    assert (kept["tries"], kept["at"]) == (MAX_TRIES, house.world.clock.at)
    at = datetime(2025, 5, 1, 12, 0, 1, tzinfo=timezone.utc)
    assert message_of(kept) == {**meter(2), "at": at, "soc": None, "limit_w": None}


def test_several_that_break_off_are_set_aside_one_after_the_other(house: House) -> None:
    house.broken = {1: RuntimeError("one"), 3: RuntimeError("three")}
    batch = [meter(1), meter(2), meter(3), meter(4)]
    answers = [house.send(*batch) for _ in range(2 * MAX_TRIES + 1)]
    assert answers == [
        *[(500, None)] * (MAX_TRIES - 1),
        (200, 1),
        *[(500, None)] * (MAX_TRIES - 1),
        (200, 3),
        (200, 4),
    ]
    assert house.taken() == [2, 4]
    assert {one["_id"] for one in house.letters()} == {"CP-001/boot-1/1", "CP-001/boot-1/3"}


def test_what_breaks_off_twice_and_is_then_taken_leaves_no_letter(house: House) -> None:
    house.broken[1] = RuntimeError("not yet")
    for _ in range(MAX_TRIES - 1):
        house.send(meter(1))
    house.broken.clear()
    assert house.send(meter(1)) == (200, 1)
    assert (house.taken(), house.letters()) == ([1], [])


def test_an_error_of_the_store_is_no_fault_of_the_message(house: House) -> None:
    """A conflict with others is retried by the transaction, and counts as no try."""
    conflict = OperationFailure(
        "WriteConflict", 112, {"errorLabels": ["TransientTransactionError"]}
    )
    calls = 0

    async def handle(tx: Tx, charge_point: ChargePoint, message: dict[str, Any]) -> None:
        nonlocal calls
        calls += 1
        if calls <= 2 * MAX_TRIES:
            raise conflict

    house.api = house.world.api(house.world.central(handlers=[Handler("meter", handle)]))
    assert house.send(meter(1)) == (200, 1)
    assert calls == 2 * MAX_TRIES + 1
    assert house.letters() == []
    assert house.world.loop.run(TRIES.of(house.world.db).count({})) == 0


def test_a_message_that_nothing_can_be_made_of_is_kept_too(house: House) -> None:
    house.broken[2] = MessageRefused("its session is not known")
    assert house.send(meter(1), meter(2), meter(3)) == (200, 3)
    (kept,) = house.letters()
    assert (kept["_id"], kept["reason"]) == ("CP-001/boot-1/2", "its session is not known")
    assert (kept["refused"], kept["tries"]) == (True, 1)


def test_of_the_refused_ones_the_latest_are_kept(house: House) -> None:
    failed = 1
    house.broken = {seq: MessageRefused("unknown") for seq in range(2, MAX_REFUSED + 10)}
    house.broken[failed] = RuntimeError("no")
    for _ in range(MAX_TRIES):
        house.send(meter(failed))
    middle = MAX_REFUSED // 2
    house.send(*(meter(seq) for seq in range(2, middle)))
    house.world.clock.advance(1)
    house.send(*(meter(seq) for seq in range(middle, MAX_REFUSED + 10)))

    seqs = {message_of(one)["seq"] for one in house.letters()}
    assert len(seqs) == MAX_REFUSED + 1
    assert failed in seqs
    assert set(range(middle, MAX_REFUSED + 10)) <= seqs


def stopped(seq: int, energy_wh: float) -> dict[str, Any]:
    return {
        "seq": seq,
        "kind": "session_stopped",
        "at": "2025-05-01T12:10:00Z",
        "connector_id": "1",
        "session_id": f"LOST-{seq}",
        "energy_wh": energy_wh,
        "register_wh": 5000 + energy_wh,
        "reason": "local",
    }


def test_the_end_of_a_session_that_is_not_known_is_money_that_needs_a_look(world: World) -> None:
    """As after a restore: the session came after the backup, its energy is on no bill."""
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    assert api.telemetry(shown, stopped(1, 7200.0), stopped(2, 0.0)).json()["acked"] == 2

    lost, empty = letters_of(world)
    assert (lost["refused"], lost.get("refused_wh")) == (False, 7200.0)
    assert (empty["refused"], "refused_wh" in empty) == (True, False)
    [entry] = world.loop.run(money.entries(world.db, 10))
    assert (entry.kind, entry.session_id, entry.energy_wh) == ("dead letter", "LOST-1", 7200.0)
    assert entry.why == "session_stopped message: its session is not known"
    assert entry.do.endswith("then cpo charge-points dead-letters drop CP-001/boot-1/1")
    counts = world.loop.run(money.counts(world.db))
    assert (counts.by_kind["dead letter"], counts.unbilled_wh) == (1, 7200.0)

    # It stays when it is tried again to no avail; and no charge point fills the store with them.
    assert world.loop.run(world.workers[0].telemetry.replay(lost["_id"])) is not None
    assert letters_of(world)[0]["refused"] is False
    world.clock.advance(60)
    more = [stopped(seq, 1.0) for seq in range(3, MAX_REFUSED + 10)]
    assert api.telemetry(shown, *more).status_code == 200
    assert sum("refused_wh" in one for one in letters_of(world)) == MAX_REFUSED


def test_news_of_a_session_whose_details_are_gone_is_money_that_needs_a_look(world: World) -> None:
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    settled: ChargingSession = {
        "_id": "LOST-1",
        "cp_id": "CP-001",
        "status": "COMPLETED",
        "trimmed": world.clock.at,
    }
    world.loop.run(SESSIONS.of(world.db).insert_one(settled))
    assert api.telemetry(shown, stopped(1, 700.0)).json()["acked"] == 1
    [entry] = world.loop.run(money.entries(world.db, 10))
    assert entry.why == "session_stopped message: its session was settled long ago"


def test_only_refused_ones_go_by_themselves(house: House) -> None:
    async def indexes() -> dict[str, Any]:
        return await DEAD_LETTERS.of(house.world.db).driver.index_information()

    expiring = [
        index.get("partialFilterExpression")
        for index in house.world.loop.run(indexes()).values()
        if "expireAfterSeconds" in index
    ]
    assert expiring == [{"refused": True}]


def test_times_are_kept_by_our_clock(house: House) -> None:
    """The engine's clock is an hour behind."""
    house.broken[1] = RuntimeError("no")
    house.world.clock.at = datetime(2025, 5, 1, 13, 0, 2, tzinfo=timezone.utc)
    for _ in range(MAX_TRIES):
        house.send(meter(1), sent_at="2025-05-01T12:00:02Z")
    (kept,) = house.letters()
    assert message_of(kept)["at"] == house.world.clock.at - timedelta(seconds=1)


def test_a_replay_hands_the_message_to_the_handlers_once(house: House) -> None:
    house.broken[1] = RuntimeError("no")
    for _ in range(MAX_TRIES):
        house.send(meter(1))
    assert house.send(meter(2)) == (200, 2)
    house.broken.clear()

    assert house.replay("CP-001/boot-1/1") is None
    assert (house.taken(), house.letters()) == ([1, 2], [])
    with pytest.raises(NoSuchLetter):
        house.replay("CP-001/boot-1/1")
    assert house.taken() == [1, 2]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError("still not"), "RuntimeError: still not"),
        (MessageRefused("its session is not known"), "its session is not known"),
    ],
)
def test_a_replay_that_comes_to_nothing_leaves_the_letter_and_nothing_else(
    house: House, error: Exception, why: str
) -> None:
    house.broken[1] = RuntimeError("no")
    for _ in range(MAX_TRIES):
        house.send(meter(1))
    house.broken[1] = error

    assert house.replay("CP-001/boot-1/1") == why
    assert house.taken() == []
    (kept,) = house.letters()
    assert (kept["reason"], kept["tries"], kept["refused"]) == (why, MAX_TRIES + 1, False)


def test_a_refused_one_whose_replay_fails_does_not_go_by_itself_any_more(house: House) -> None:
    house.broken[1] = MessageRefused("unknown")
    house.send(meter(1))
    house.broken[1] = RuntimeError("no")
    house.replay("CP-001/boot-1/1")
    assert [one["refused"] for one in house.letters()] == [False]


HALF = "\ud800"
"""Half of a character: JSON can escape it, the store cannot keep it."""


def test_real_messages_that_the_store_cannot_keep_hold_up_no_others(world: World) -> None:
    """With the handlers of charging: each is a 500 for ever without dead letters."""
    shown, api = world.enrol("CP-001"), world.api()
    api.register(shown)
    batch = [
        state(1, "PREPARING", plugged=True),
        state(2, "CHARGING", plugged=True, session_id=HALF),
        {**meter(3), "session_id": HALF},
        state(4, "FAULTED"),
    ]
    sent = 0
    while _escaped(api, shown, batch) < 4:
        sent += 1
        assert sent < 10
    assert world.history()[-1] == "OUTOFORDER"
    assert [message_of(one)["session_id"] for one in letters_of(world)] == [HALF, HALF]


def test_the_start_of_an_engine_has_a_name_that_can_be_kept(world: World) -> None:
    body = {"cp_id": "CP-001", "boot_id": HALF, "messages": [meter(1)]}
    answer = _post(world.api(), world.enrol("CP-001"), body)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "boot_id: has a character that cannot be printed"


def _escaped(api: Api, token: str, messages: list[dict[str, Any]]) -> int:
    body = {"cp_id": "CP-001", "boot_id": "b", "messages": messages}
    answer = _post(api, token, body)
    acked: int = answer.json().get("acked", 0)
    return acked


def _post(api: Api, token: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return api.request("POST", "/cp/telemetry", headers=headers, content=json.dumps(body))
