"""Meter values of many charge points in one transaction: the same outcome, for less."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from cpo_app.central.charging import rules_of
from cpo_app.central.meter_batches import MeterBatch, MeterBatches
from cpo_app.central.service import Central
from cpo_app.central.wire import TelemetryBody
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.commands.command_targets import place_of
from domain.outbox.marks import MARKS
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import new_token
from domain.sessions import charging_sessions, quiet_readings
from domain.sessions.quiet_readings import QuietReadings
from domain.sessions.session_records import SESSIONS
from domain.times import parse_datetime
from tests.counting import growth_of
from tests.cpo_app.central.conftest import VAULT, World, meter, state
from tests.cpo_app.central.test_charging import TOKEN


class Fleet:
    """Charge points that charge, each in a session of its own."""

    def __init__(self, world: World, *cp_ids: str) -> None:
        self.world = world
        self.central = world.central()
        api = world.api(self.central)
        self.sessions: dict[str, str] = {}
        for cp_id in cp_ids:
            token = world.enrol(cp_id)
            api.register(token, cp_id)
            session_id = self.sessions[cp_id] = world.loop.run(self._opened(cp_id))
            began = {**meter(2), "kind": "session_started", "source": "local"}
            for message in (
                state(1, "CHARGING", plugged=True),
                self.of(session_id, began, 1),
                self.of(session_id, meter(3, 0.0), 2),
            ):
                assert api.telemetry(token, message, cp_id=cp_id).status_code == 200

    async def _opened(self, cp_id: str) -> str:
        async def work(tx: Tx) -> str:
            place = await place_of(tx, cp_id)
            assert place is not None
            return await charging_sessions.open_session(
                tx,
                cp_id=cp_id,
                location=place.location,
                evse=place.evse,
                connector=place.connector(None),
                token={**TOKEN, "uid": cp_id},
                auth_method="WHITELIST",
                authorization_reference=None,
                source="local",
            )

        return await self.world.store.transact(work)

    def of(self, session_id: str, message: Mapping[str, Any], after_s: int) -> dict[str, Any]:
        at = self.world.clock.at.isoformat()
        return {**message, "session_id": session_id, "at": at, "register_wh": 5000 + after_s}

    def batch(self, cp_id: str, *messages: dict[str, Any], boot_id: str = "boot-1") -> MeterBatch:
        told = [self.of(self.sessions[cp_id], message, message["seq"]) for message in messages]
        body = TelemetryBody.parse_obj({"cp_id": cp_id, "boot_id": boot_id, "messages": told})
        now = self.world.clock.at
        return MeterBatch(cp_id, boot_id, body.messages, now, now)  # type: ignore[arg-type]

    def taken(self, *batches: MeterBatch) -> list[int | None]:
        """What one worker answers to all of them at once."""
        together = MeterBatches(self.world.store, rules_of(self.central.settings), gather_s=0)

        async def story() -> list[int | None]:
            return await asyncio.gather(*(together.take(batch) for batch in batches))

        return self.world.loop.run(story())

    def taken_alone(self, batch: MeterBatch) -> int:
        messages = [message.dict() for message in batch.messages]
        return self.world.loop.run(
            self.central.telemetry.take(
                batch.cp_id, batch.boot_id, messages, batch.received_at, sent_at=batch.sent_at
            )
        )

    def session(self, cp_id: str) -> JsonMapping:
        found = self.world.loop.run(charging_sessions.get(self.world.db, self.sessions[cp_id]))
        assert found is not None
        return found


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world, "CP-001", "CP-002", "CP-003")


def alike(document: JsonMapping, cp_id: str, session_id: str) -> str:
    """The document without what only says whose it is."""
    without = {"command_key", "engine_fingerprint", "token", "cdr_location"}
    kept = {name: value for name, value in sorted(document.items()) if name not in without}
    return repr(kept).replace(session_id, "S").replace(cp_id, "CP")


def test_what_is_taken_together_is_what_would_be_taken_alone(fleet: Fleet) -> None:
    for second in range(1, 9):
        fleet.world.clock.advance(1)
        readings = meter(2 * second + 2, 3.0 * second), meter(2 * second + 3, 3.0 * second + 1)
        assert fleet.taken(fleet.batch("CP-001", *readings)) == [2 * second + 3]
        assert fleet.taken_alone(fleet.batch("CP-002", *readings)) == 2 * second + 3
    one, other = fleet.session("CP-001"), fleet.session("CP-002")
    assert one["energy_wh"] == 25.0
    ids = fleet.sessions["CP-001"], fleet.sessions["CP-002"]
    assert alike(one, "CP-001", ids[0]) == alike(other, "CP-002", ids[1])
    known, same = fleet.world.document("CP-001"), fleet.world.document("CP-002")
    assert known["acked_seq"] == 19
    assert alike(known, "CP-001", ids[0]) == alike(same, "CP-002", ids[1])


def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    made: list[object] = []
    transact = world.store.transact

    async def counting(work: Callable[[Tx], Awaitable[object]]) -> object:
        made.append(work)
        return await transact(work)

    monkeypatch.setattr(world.store, "transact", counting)
    return made


def test_readings_that_come_together_are_one_transaction(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(fleet.world, monkeypatch)
    assert fleet.taken(*(fleet.batch(cp_id, meter(4, 1.0)) for cp_id in fleet.sessions)) == [4] * 3
    assert len(made) == 1
    assert [fleet.session(cp_id)["energy_wh"] for cp_id in fleet.sessions] == [1.0] * 3


def test_what_was_taken_is_acknowledged_again_and_changes_nothing(fleet: Fleet) -> None:
    assert fleet.taken(fleet.batch("CP-001", meter(4, 1.0))) == [4]
    before = fleet.session("CP-001"), fleet.world.document("CP-001")
    fleet.world.clock.advance(1)
    assert fleet.taken(fleet.batch("CP-001", meter(4, 2.0))) == [4]
    assert (fleet.session("CP-001"), fleet.world.document("CP-001")) == before


def test_whatever_turns_goes_by_itself_and_holds_up_no_other(fleet: Fleet) -> None:
    quiet = fleet.batch("CP-002", meter(4, 1.0))
    before = fleet.session("CP-001")
    for turning in (
        fleet.batch("CP-001", {**meter(4, 1.0), "power_w": 0}),  # the car is full
        fleet.batch("CP-001", meter(4, 1e6)),  # more than its connector can give
        fleet.batch("CP-001", meter(1, 1.0), boot_id="boot-2"),  # the engine started anew
    ):
        assert fleet.taken(turning, quiet) == [None, 4]
    fleet.sessions["CP-003"], own = "nobody's", fleet.sessions["CP-003"]
    assert fleet.taken(fleet.batch("CP-003", meter(4, 1.0))) == [None]
    fleet.sessions["CP-003"] = fleet.sessions["CP-001"]
    assert fleet.taken(fleet.batch("CP-003", meter(4, 1.0))) == [None], "another's session"
    fleet.sessions["CP-003"] = own
    assert fleet.session("CP-001") == before


async def connected_emsp(world: World) -> str:
    """The peer whose driver charges, to whom Sessions are pushed."""
    peers, now = Peers(world.db, VAULT), world.clock.at
    peer, _ = await peers.invite("emsp", now, ANY_PARTY)
    await peers.connect(
        peer.peer_id,
        our_token=new_token(),
        their_token=new_token(),
        now=now,
        roles=[{"role": "EMSP", **{name: TOKEN[name] for name in ("country_code", "party_id")}}],
        endpoints=[
            {"identifier": "sessions", "role": "RECEIVER", "url": "https://emsp.example/sessions"}
        ],
    )
    return peer.peer_id


def published(fleet: Fleet, cp_id: str) -> tuple[JsonMapping, list[str]]:
    """Its Session, and which peers have yet to see it."""
    key = f"de/cpo/{fleet.sessions[cp_id]}"

    async def found() -> tuple[JsonMapping | None, list[str]]:
        db = fleet.world.db
        marks = await MARKS.of(db).find({"module": "sessions", "key": key})
        return await fleet.world.store.get("sessions", key), [mark["peer_id"] for mark in marks]

    session, marked = fleet.world.loop.run(found())
    assert session is not None
    return session, marked


def test_sessions_whose_publication_is_due_are_published_together(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = fleet.world.loop.run(connected_emsp(fleet.world))
    fleet.world.clock.advance(5)
    assert fleet.taken(fleet.batch("CP-001", meter(4, 7.0))) == [4]
    assert published(fleet, "CP-001")[0]["kwh"] == 0, "not yet"
    fleet.world.clock.advance(5)
    made = counted(fleet.world, monkeypatch)
    later = [fleet.batch(cp_id, meter(5, 10.0)) for cp_id in fleet.sessions]
    assert fleet.taken(*later[:2]) == [5, 5]
    assert len(made) == 1
    assert fleet.taken_alone(later[2]) == 5
    for cp_id in fleet.sessions:
        session, marked = published(fleet, cp_id)
        assert session["kwh"] == 0.01
        assert parse_datetime(session["last_updated"]) == fleet.world.clock.at
        assert marked == [peer]
    ids = [fleet.sessions[cp_id] for cp_id in fleet.sessions]
    (one, _), (other, _) = published(fleet, "CP-002"), published(fleet, "CP-003")
    del one["cdr_token"], other["cdr_token"]
    assert alike(one, "CP-002", ids[1]) == alike(other, "CP-003", ids[2])
    known, same = fleet.session("CP-002"), fleet.session("CP-003")
    assert alike(known, "CP-002", ids[1]) == alike(same, "CP-003", ids[2])
    # The next publication counts from this one.
    fleet.world.clock.advance(9)
    assert fleet.taken(fleet.batch("CP-001", meter(6, 20.0))) == [6]
    assert published(fleet, "CP-001")[0]["kwh"] == 0.01


def test_of_a_session_that_is_held_nothing_is_published(fleet: Fleet) -> None:
    world, cp_id = fleet.world, "CP-001"
    held = {"held": {"since": world.clock.at, "why": "nobody let it charge"}}
    one = {"_id": fleet.sessions[cp_id]}
    world.loop.run(SESSIONS.of(world.db).update_one(one, {"$set": held}))
    before = published(fleet, cp_id)
    world.clock.advance(10)
    assert fleet.taken(fleet.batch(cp_id, meter(4, 10.0))) == [4]
    assert published(fleet, cp_id) == before
    assert fleet.session(cp_id)["energy_wh"] == 10.0


def test_the_same_engine_twice_at_once_is_taken_once(fleet: Fleet) -> None:
    twice = [fleet.batch("CP-001", meter(4, 1.0))] * 2
    assert fleet.taken(*twice) == [4, None]


def test_readings_that_break_off_are_tried_one_by_one(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise ValueError("nobody thought of this")

    monkeypatch.setattr(QuietReadings, "take", broken)
    assert fleet.taken(*(fleet.batch(cp_id, meter(4, 1.0)) for cp_id in fleet.sessions)) == (
        [None] * 3
    )


def test_over_http_readings_are_taken_without_a_transaction_of_their_own(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    central: Central = fleet.central
    alone: list[object] = []
    take = central.telemetry.take

    async def counting(*given: Any, **more: Any) -> int:
        alone.append(given)
        return await take(*given, **more)

    monkeypatch.setattr(central.telemetry, "take", counting)
    api, cp_id = fleet.world.api(central), "CP-001"
    token = fleet.world.enrol(cp_id)
    for seq in (4, 5):
        told = fleet.of(fleet.sessions[cp_id], meter(seq, float(seq)), seq)
        assert api.telemetry(token, told, cp_id=cp_id).json() == {"status": "ok", "acked": seq}
    assert alone == []
    assert fleet.session(cp_id)["energy_wh"] == 5.0
    found = fleet.world.loop.run(charge_points.get(fleet.world.db, cp_id))
    assert found is not None
    assert found["acked_seq"] == 5


def test_energy_and_lag_are_counted_when_they_are_kept(world: World) -> None:
    fleet = Fleet(world, "CP-001")
    energy = growth_of("cpo_energy_delivered_wh_total")
    batches = growth_of("cpo_telemetry_lag_seconds_count")
    world.clock.advance(60)
    assert fleet.taken(fleet.batch("CP-001", meter(4, 250.0))) == [4]
    assert fleet.taken(fleet.batch("CP-001", meter(4, 250.0))) == [4], "said again"
    assert (energy(), batches()) == (pytest.approx(250.0), 1)
    fleet.taken_alone(fleet.batch("CP-001", meter(5, 400.0)))
    assert (energy(), batches()) == (pytest.approx(400.0), 2)


class Publications:
    """How many Sessions were published with each second's readings of all three."""

    def __init__(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        monkeypatch.setattr(quiet_readings, "MAX_PUBLISHED", most)
        self._fleet = fleet
        self._seq = 3
        self.numbers: list[int] = []

    def after(self, *seconds: int) -> list[int]:
        for pause in seconds:
            self._fleet.world.clock.advance(pause)
            self._seq += 1
            before = self._published()
            reading = meter(self._seq, float(self._seq))
            self._fleet.taken(*(self._fleet.batch(cp, reading) for cp in self._fleet.sessions))
            changed = [one != other for one, other in zip(before, self._published(), strict=True)]
            self.numbers.append(sum(changed))
        return self.numbers

    def _published(self) -> list[Any]:
        return [self._fleet.session(cp_id)["published_at"] for cp_id in self._fleet.sessions]


def test_sessions_that_began_together_are_published_a_few_at_a_time(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each no more often than every ten seconds, and none much later."""
    publications = Publications(fleet, monkeypatch, most=1).after(*[1] * 26)
    assert sorted(publications[:13]) == [*[0] * 10, 1, 1, 1]
    assert max(publications) == 1 and sum(publications) == 6


def test_a_session_that_is_seldom_heard_of_is_published_with_its_reading(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Publications(fleet, monkeypatch, most=1).after(1, 30) == [0, 3]


def test_a_session_waits_for_others_once_as_long_as_between_two_publications(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    publications = Publications(fleet, monkeypatch, most=0).after(*[1] * 21)
    assert sum(publications[:17]) == 0
    assert sum(publications) == 3
