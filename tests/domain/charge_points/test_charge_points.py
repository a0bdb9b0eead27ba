"""The one door for changes of a charge point, on a real store."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpo_app.settings import Party
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import (
    charge_points,
    evse_history,
    registration_store,
    registrations,
)
from domain.charge_points.charge_point_documents import ChargePoint, Fault
from domain.charge_points.charge_point_events import (
    MAX_CONNECTORS,
    Event,
    Heartbeat,
    Missed,
    OperativeSet,
    OperativeTold,
    Registered,
    RegistrationChanged,
    ReservationSet,
    SessionSet,
    StateReported,
    TelemetryTaken,
    engine_is_to_be_told,
)
from domain.charge_points.charge_points import Applied
from domain.charge_points.evse_states import ConnectorState, EvseStatus
from domain.charge_points.registrations import Application, Proof
from tests.clock import Clock
from tests.conftest import Loop
from tests.drawn import drawn

PARTY = Party("DE", "CPO", "Test")
START = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
KEY = b"sealed"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def registered(host: str = "10.0.0.1", key: bytes = KEY) -> Registered:
    return Registered(host, 8001, key, interval_s=2, missed=5)


def reported(state: str, plugged: bool = False, connector_id: str = "1") -> StateReported:
    ev_state = "plugged" if plugged else "unplugged"
    return StateReported(connector_id, ConnectorState(state), ev_state, at=START)


def beat(*faults: str) -> Heartbeat:
    return Heartbeat(2, 5, "AVAILABLE", [Fault(code=code, message="") for code in faults])


class World:
    """A store with the charge points CP-001 and CP-002 of one site in EV_Registry."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop = db, loop
        self.store = DbInterface(db)
        self.clock = Clock(START)
        db.clock = self.clock
        for cp_id in ("CP-001", "CP-002"):
            self.enrol(cp_id)

    def enrol(self, cp_id: str, proof: Proof = Proof(admin=True)) -> None:
        application = Application(cp_id, "Berlin", {"site_id": "SITE-1"})
        self.loop.run(
            registrations.register(
                self.store,
                application,
                proof=proof,
                open_to_new=True,
                credentials_hash="0" * 64,
                party=PARTY,
            )
        )

    async def happen(self, event: Event, seconds: float = 0, cp_id: str = "CP-001") -> Applied:
        self.clock.at = after(seconds)
        return await DbInterface(self.db).transact(
            lambda tx: charge_points.apply(tx, PARTY, cp_id, event)
        )

    def apply(self, event: Event, seconds: float = 0, cp_id: str = "CP-001") -> str:
        """Let it happen; the OCPI status after it."""
        return self.loop.run(self.happen(event, seconds, cp_id)).charge_point["ocpi_status"]

    def document(self, cp_id: str = "CP-001") -> ChargePoint:
        found = self.loop.run(charge_points.get(self.db, cp_id))
        assert found is not None
        return found

    def changes(self, cp_id: str = "CP-001") -> list[tuple[str | None, str, str]]:
        rows = self.loop.run(evse_history.history(self.db, cp_id, after(-1e6), after(1e6)))
        return [(row["from"], row["to"], row["why"]) for row in rows]

    def evse(self, cp_id: str = "CP-001") -> dict[str, Any]:
        """The EVSE as peers get it."""
        location = self.loop.run(self.store.get("locations", "de/cpo/site-1"))
        assert location is not None
        return next(evse for evse in location["evses"] if evse["uid"] == cp_id)


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop)


def test_a_life_of_a_charge_point_is_seen_over_ocpi_step_by_step(world: World) -> None:
    assert world.evse()["status"] == "UNKNOWN"
    story: list[tuple[Event, str]] = [
        (registered(), "AVAILABLE"),
        (reported("PREPARING", plugged=True), "BLOCKED"),
        (reported("CHARGING", plugged=True), "CHARGING"),
        (reported("SUSPENDED", plugged=True), "CHARGING"),
        (reported("FINISHING", plugged=True), "BLOCKED"),
        (reported("AVAILABLE"), "AVAILABLE"),
        (ReservationSet("R1"), "RESERVED"),
        (ReservationSet(None), "AVAILABLE"),
        (beat("ENGINE_UNREACHABLE"), "OUTOFORDER"),
        (beat(), "AVAILABLE"),
        (OperativeSet(False), "INOPERATIVE"),
        (OperativeSet(True), "AVAILABLE"),
    ]
    for step, (event, status) in enumerate(story):
        assert world.apply(event, step) == status
        assert world.evse()["status"] == status
    assert world.changes() == [
        (None, "AVAILABLE", "registered at Central"),
        ("AVAILABLE", "BLOCKED", "connector 1 PREPARING"),
        ("BLOCKED", "CHARGING", "connector 1 CHARGING"),
        ("CHARGING", "BLOCKED", "connector 1 FINISHING"),
        ("BLOCKED", "AVAILABLE", "connector 1 AVAILABLE"),
        ("AVAILABLE", "RESERVED", "reserved"),
        ("RESERVED", "AVAILABLE", "reservation ended"),
        ("AVAILABLE", "OUTOFORDER", "fault: ENGINE_UNREACHABLE"),
        ("OUTOFORDER", "AVAILABLE", "heartbeat"),
        ("AVAILABLE", "INOPERATIVE", "operator: out of service"),
        ("INOPERATIVE", "AVAILABLE", "operator: back in service"),
    ]


def test_only_the_changed_evse_of_a_site_gets_a_new_last_updated(world: World) -> None:
    world.apply(registered(), 5, "CP-002")
    other = world.evse("CP-002")
    world.apply(registered(), 60)
    world.apply(beat(), 90)
    assert world.evse()["last_updated"].startswith("2025-05-01T12:01:00")
    assert world.evse("CP-002") == other


def test_the_id_counts_in_any_case_and_is_kept_as_registered(world: World) -> None:
    world.apply(registered(), cp_id="cp-001")
    assert world.document()["_id"] == "CP-001"
    assert world.loop.run(charge_points.get(world.db, "cp-001")) is None


def test_the_key_stays_for_the_same_host_only(world: World) -> None:
    world.apply(registered(key=b"first"))
    world.apply(OperativeTold(False))
    world.apply(registered(key=b"second"))
    assert (world.document()["command_key"], world.document()["operative_told"]) == (
        b"first",
        False,
    )
    world.apply(registered(host="10.0.0.2", key=b"third"))
    assert (world.document()["command_key"], world.document()["operative_told"]) == (b"third", None)


def test_silence_counts_only_if_no_heartbeat_came_after_all(world: World) -> None:
    world.apply(registered())
    due = world.document()["heartbeat_due"]
    assert due == after(10)
    assert world.apply(Missed(due), 8.9) == "AVAILABLE"
    world.apply(beat(), 9)
    assert world.apply(Missed(due), 11) == "AVAILABLE"
    assert world.apply(Missed(after(19)), 20) == "UNKNOWN"
    assert world.document()["heartbeat_due"] is None
    assert world.apply(Missed(after(19)), 21) == "UNKNOWN"
    assert world.apply(beat(), 30) == "AVAILABLE"
    assert [change[1] for change in world.changes()] == ["AVAILABLE", "UNKNOWN", "AVAILABLE"]


def test_a_deregistered_charge_point_is_removed_whatever_it_reports(world: World) -> None:
    world.apply(registered())
    world.loop.run(
        registrations.deregister(world.store, "CP-001", proof=Proof(admin=True), party=PARTY)
    )
    assert world.apply(beat("X"), 1) == "REMOVED"
    assert world.evse()["status"] == "REMOVED"
    world.enrol("CP-001", Proof(admin=True))
    assert world.apply(RegistrationChanged(), 2) == "OUTOFORDER"
    assert world.changes()[1:] == [
        ("AVAILABLE", "REMOVED", "EV_Registry"),
        ("REMOVED", "OUTOFORDER", "EV_Registry"),
    ]


def test_the_registry_can_let_the_status_follow_at_once(world: World) -> None:
    world.apply(registered(), cp_id="CP-001")

    async def tell(cp_id: str) -> None:
        async def work(tx: Tx) -> None:
            await world.db["registrations"].update_one(
                {"folded_id": cp_id.lower()}, {"$set": {"status": "DEREGISTERED"}}, session=tx.mongo
            )
            record = await registration_store.get(tx, cp_id)
            if record is not None:
                await charge_points.registration_changed(tx, record)

        await DbInterface(world.db).transact(work)

    for cp_id in ("cp-001", "CP-002", "CP-404"):
        world.loop.run(tell(cp_id))
    assert world.changes() == [
        (None, "AVAILABLE", "registered at Central"),
        ("AVAILABLE", "REMOVED", "EV_Registry"),
    ]
    assert world.loop.run(charge_points.get(world.db, "CP-002")) is None
    assert world.loop.run(charge_points.get(world.db, "CP-404")) is None


def test_the_operators_word_is_kept_for_one_that_never_came(world: World) -> None:
    assert world.apply(OperativeSet(False)) == "INOPERATIVE"
    assert world.apply(registered(), 1) == "INOPERATIVE"


def test_the_engine_is_told_again_where_it_may_not_know(world: World) -> None:
    world.apply(registered())
    assert not engine_is_to_be_told(world.document())
    world.apply(OperativeSet(False))
    assert engine_is_to_be_told(world.document())
    world.apply(OperativeTold(False))
    assert not engine_is_to_be_told(world.document())
    world.apply(TelemetryTaken("another boot", 1))
    assert engine_is_to_be_told(world.document())
    world.apply(OperativeTold(False))
    world.apply(reported("AVAILABLE"))
    assert engine_is_to_be_told(world.document())
    world.apply(reported("INOPERATIVE"))
    assert not engine_is_to_be_told(world.document())
    world.apply(OperativeSet(True))
    world.apply(OperativeTold(True))
    assert engine_is_to_be_told(world.document())


def test_no_engine_can_make_its_document_grow_without_end(world: World) -> None:
    for number in range(MAX_CONNECTORS + 3):
        world.apply(reported("AVAILABLE", connector_id=str(number)))
    for number in range(20):
        world.apply(TelemetryTaken(f"boot {number}", 1))
    assert len(world.document()["connectors"]) == MAX_CONNECTORS
    assert [boot["boot_id"] for boot in world.document()["boots"]] == [
        f"boot {number}" for number in range(12, 20)
    ]


def test_two_workers_at_once_lose_nothing_and_write_one_history(world: World) -> None:
    """Twenty connectors report at once, and half of the reports change the status."""
    world.apply(registered())
    reports = [
        reported("CHARGING" if number % 2 else "AVAILABLE", True, str(number))
        for number in range(20)
    ]

    async def race() -> list[Applied]:
        return await asyncio.gather(*(world.happen(report, 1) for report in reports))

    world.loop.run(race())
    kept = {c["id"]: c["state"] for c in world.document()["connectors"]}
    assert kept == {report.connector_id: report.state.value for report in reports}
    history = world.changes()
    assert_consistent(history)
    assert history[-1][1] == "CHARGING" == world.document()["ocpi_status"]
    assert world.evse()["status"] == "CHARGING"


def test_a_failure_inside_the_transaction_leaves_no_half(world: World) -> None:
    world.apply(registered())

    async def work(tx: Tx) -> None:
        await charge_points.apply(tx, PARTY, "CP-001", beat("X"))
        raise RuntimeError("the process died here")

    with pytest.raises(RuntimeError):
        world.loop.run(DbInterface(world.db).transact(work))
    assert world.document()["ocpi_status"] == "AVAILABLE" == world.evse()["status"]
    assert len(world.changes()) == 1


def test_a_history_never_runs_backwards(world: World) -> None:
    world.apply(registered(), 10)
    world.apply(beat("X"), 5)
    rows = world.loop.run(evse_history.history(world.db, "CP-001", after(0), after(100)))
    assert [row["at"] for row in rows] == [after(10), after(10)]
    assert [row["to"] for row in rows] == ["AVAILABLE", "OUTOFORDER"]


def test_uptime_is_counted_to_the_second(world: World) -> None:
    world.apply(registered(), 0)
    world.apply(reported("CHARGING", True), 100)
    world.apply(beat("X"), 400)
    world.apply(beat(), 500)
    world.apply(OperativeSet(False), 600)
    world.apply(reported("AVAILABLE"), 700)

    def uptime(since: float, until: float) -> tuple[float, dict[str, float], float | None]:
        figures = world.loop.run(
            evse_history.uptime(world.db, "CP-001", after(since), after(until))
        )
        return figures.available_s, figures.by_status, figures.uptime_percent

    # Known since 0; the session keeps it CHARGING until 700, then it is out of service.
    all_of_it = {"AVAILABLE": 100.0, "CHARGING": 500.0, "INOPERATIVE": 100.0, "OUTOFORDER": 100.0}
    assert uptime(-1000, 800) == (600.0, all_of_it, 75.0)
    assert uptime(50, 150) == (100.0, {"AVAILABLE": 50.0, "CHARGING": 50.0}, 100.0)
    assert uptime(420, 430) == (0.0, {"OUTOFORDER": 10.0}, 0.0)
    assert uptime(-100, -50) == (0.0, {}, None)
    with pytest.raises(ValueError, match="since is not before until"):
        uptime(5, 5)


def test_time_after_removal_counts_neither_way(world: World) -> None:
    world.apply(registered(), 0)
    world.clock.at = after(100)
    world.loop.run(
        registrations.deregister(world.store, "CP-001", proof=Proof(admin=True), party=PARTY)
    )
    world.apply(RegistrationChanged(), 100)
    figures = world.loop.run(evse_history.uptime(world.db, "CP-001", after(0), after(1000)))
    assert (figures.by_status, figures.uptime_percent) == (
        {"AVAILABLE": 100.0, "REMOVED": 900.0},
        100.0,
    )


def test_the_watchs_question_and_the_history_find_their_indexes(world: World) -> None:
    async def stages(collection: str, query: dict[str, Any], sort: list[tuple[str, int]]) -> str:
        plan = await world.db[collection].find(query).sort(sort).explain()
        return str(plan["queryPlanner"]["winningPlan"])

    watch = {"heartbeat_due": {"$lte": START}, "silence_s": {"$lte": 10}}
    history = {"cp_id": "CP-001", "at": {"$gte": START}}
    for plan in (
        world.loop.run(stages("charge_points", watch, [("heartbeat_due", 1)])),
        world.loop.run(stages("evse_status_history", history, [("at", 1), ("n", 1)])),
    ):
        assert "IXSCAN" in plan
        assert "COLLSCAN" not in plan
        assert "'SORT'" not in plan


def assert_consistent(history: list[tuple[str | None, str, str]]) -> None:
    """Each change begins where the last one ended, is a change, and begins with none."""
    statuses = [None, *(to for _, to, _ in history)]
    assert [before for before, _, _ in history] == statuses[:-1]
    assert all(before != to for before, to, _ in history)
    assert all(EvseStatus(to) for _, to, _ in history)


events = st.one_of(
    st.builds(registered, host=st.sampled_from(["a.example", "b.example"])),
    st.builds(lambda faults: beat(*faults), st.lists(st.sampled_from(["F1", "F2"]), max_size=2)),
    st.builds(
        reported,
        st.sampled_from([state.value for state in ConnectorState]),
        st.booleans(),
        st.sampled_from(["1", "2"]),
    ),
    st.builds(OperativeSet, st.booleans()),
    st.builds(OperativeTold, st.booleans()),
    st.builds(ReservationSet, st.sampled_from(["R1", None])),
    st.builds(SessionSet, st.sampled_from(["S1", None])),
    st.builds(TelemetryTaken, st.sampled_from(["b1", "b2"]), st.integers(1, 9)),
    st.builds(RegistrationChanged),
    st.just("missed"),
)


@settings(
    max_examples=drawn(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(story=st.lists(st.tuples(events, st.floats(0, 30)), max_size=12))
def test_after_any_events_the_status_is_ocpis_and_the_history_its_whole_story(
    world: World, story: list[tuple[Event | str, float]]
) -> None:
    async def play() -> None:
        for collection in ("charge_points", "evse_status_history"):
            await world.db[collection].delete_many({})
        seconds = 0.0
        for event, pause in story:
            seconds += pause
            if isinstance(event, str):
                known = await charge_points.get(world.db, "CP-001")
                event = Missed(known["heartbeat_due"] if known else START)  # type: ignore[arg-type]
            await world.happen(event, seconds)

    world.loop.run(play())
    known = world.loop.run(charge_points.get(world.db, "CP-001"))
    history = world.changes()
    assert_consistent(history)
    if known is None:
        assert history == []
        return
    assert history[-1][1] == known["ocpi_status"] == world.evse()["status"]
    assert known["status_n"] == len(history)
    span = world.loop.run(evse_history.uptime(world.db, "CP-001", after(-1), after(1000)))
    assert sum(span.by_status.values()) <= 1001.001
