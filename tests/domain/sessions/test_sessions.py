"""The life of a session on a real store: what peers see of it, and what it comes to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.objects.cdrs import reprice
from domain.schemas import CDR, Session, validate
from domain.sessions import charging_sessions
from domain.sessions.charging_sessions import ConnectorBusy, UnknownSession
from domain.sessions.session_rules import Rules
from domain.versions import INNER_VERSION, ObjectKind
from domain.visibility import Reader, audiences
from tests.conftest import Loop
from tests.domain.sessions.worlds import TOKEN, World, after, element, location, reading, tariff


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff())


def test_a_session_from_start_to_cdr(world: World) -> None:
    session_id = world.open(peer_id="P1", command_id="C1", source="remote")
    pending = world.session(session_id)
    assert pending == {
        "country_code": "NL",
        "party_id": "EVC",
        "id": session_id,
        "start_date_time": "2025-05-05T14:30:00Z",
        "kwh": 0.0,
        "cdr_token": {name: value for name, value in TOKEN.items() if name != "group_id"},
        "auth_method": "WHITELIST",
        "authorization_reference": "REF-1",
        "location_id": "LOC1",
        "evse_uid": "CP-001",
        "connector_id": "1",
        "currency": "EUR",
        "status": "PENDING",
        "last_updated": "2025-05-05T14:30:00Z",
    }
    assert world.begin(session_id, 20) == "ACTIVE"
    assert world.session(session_id)["start_date_time"] == "2025-05-05T14:30:20Z"

    for second in range(21, 80):
        world.meter(session_id, reading(second, (second - 20) * 5.0))
    assert world.end(session_id, 80, 300.0) == "COMPLETED"

    done = world.session(session_id)
    period = {
        "start_date_time": "2025-05-05T14:30:20Z",
        "dimensions": [
            {"type": "ENERGY", "volume": 0.3},
            {"type": "TIME", "volume": 0.0167},
            {"type": "MIN_POWER", "volume": 11.0},
            {"type": "MAX_POWER", "volume": 11.0},
            {"type": "MIN_CURRENT", "volume": 47.82},
            {"type": "MAX_CURRENT", "volume": 47.82},
        ],
        "tariff_id": "T1",
    }
    assert done == {
        **pending,
        "start_date_time": "2025-05-05T14:30:20Z",
        "end_date_time": "2025-05-05T14:31:20Z",
        "kwh": 0.3,
        "charging_periods": [period],
        "total_cost": {"excl_vat": 0.12, "incl_vat": 0.144},
        "status": "COMPLETED",
        "last_updated": "2025-05-05T14:31:20Z",
    }
    [cdr] = world.cdrs()
    assert cdr == {
        "country_code": "NL",
        "party_id": "EVC",
        "id": session_id,
        "start_date_time": "2025-05-05T14:30:20Z",
        "end_date_time": "2025-05-05T14:31:20Z",
        "session_id": session_id,
        "cdr_token": pending["cdr_token"],
        "auth_method": "WHITELIST",
        "authorization_reference": "REF-1",
        "cdr_location": {
            "id": "LOC1",
            "name": "Market square",
            "address": "A very long street name that no CDR has room",
            "city": "Amsterdam",
            "postal_code": "1011AB",
            "state": "Province of North Ho",
            "country": "NLD",
            "coordinates": {"latitude": "52.370216", "longitude": "4.895168"},
            "evse_uid": "CP-001",
            "evse_id": "NL*EVC*ECP001",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "tariffs": [tariff()],
        "charging_periods": [period],
        "total_cost": {"excl_vat": 0.12, "incl_vat": 0.144},
        "total_energy": 0.3,
        "total_energy_cost": {"excl_vat": 0.12, "incl_vat": 0.144},
        "total_time": 0.0167,
        "remark": "ended: local",
        "last_updated": "2025-05-05T14:31:20Z",
    }
    assert validate(CDR, cdr) == cdr
    assert validate(Session, done) == done
    inner = world.inner(session_id)
    assert not inner["running"]
    assert (inner["peer_id"], inner["command_id"], inner["register_start_wh"]) == ("P1", "C1", 1000)


def test_a_truck_that_says_who_it_is_has_its_cdr_at_a_plug_that_2_2_1_cannot_name(
    db: Database, loop: Loop
) -> None:
    [connector] = location(["T1"])["evses"][0]["connectors"]
    world = World(db, loop, tariff("T1"), connectors=[{**connector, "standard": "MCS"}])
    session_id = world.open(token={**TOKEN, "type": "EMAID"})
    world.begin(session_id)
    world.meter(session_id, reading(60, 300.0))
    world.end(session_id, 60, 300.0)
    [cdr] = world.cdrs()
    assert cdr["cdr_location"]["connector_standard"] == "MCS"
    assert cdr["cdr_token"]["type"] == "EMAID"
    shown = INNER_VERSION.render(ObjectKind.CDR, cdr)
    assert shown.object["cdr_location"]["connector_standard"] == "IEC_62196_T2"
    assert {loss.path for loss in shown.losses} == {
        "cdr_location.connector_standard",
        "cdr_token.type",
    }


def test_a_session_is_published_when_something_happens_and_else_every_ten_seconds(
    world: World,
) -> None:
    session_id = world.open()
    world.begin(session_id)
    stamps = []
    for second in range(1, 31):
        world.meter(session_id, reading(second, second * 3.0))
        stamps.append(world.session(session_id)["last_updated"])
        assert world.inner(session_id)["energy_wh"] == second * 3.0
    assert sorted(set(stamps)) == [
        "2025-05-05T14:30:00.001Z",  # it began in the same millisecond as it was opened
        "2025-05-05T14:30:10Z",
        "2025-05-05T14:30:20Z",
        "2025-05-05T14:30:30Z",
    ]
    world.meter(session_id, reading(31, 93.0, 0.0))
    assert world.session(session_id)["last_updated"] == "2025-05-05T14:30:31Z"


def test_the_price_never_jumps_when_the_session_closes(db: Database, loop: Loop) -> None:
    dear = tariff("T1", element("FLAT", 0.5), element("TIME", 2.0, 300), element("ENERGY", 0.4, 1))
    world = World(db, loop, dear, rules=Rules(update_every_s=0))
    session_id = world.open()
    world.begin(session_id)
    for minute in range(1, 8):
        world.meter(session_id, reading(minute * 60, minute * 180.0))
    before = world.session(session_id)
    world.end(session_id, 420, 1260.0)
    assert world.session(session_id)["total_cost"] == before["total_cost"]
    [cdr] = world.cdrs()
    assert cdr["total_cost"] == before["total_cost"]
    again = reprice(cdr, "Europe/Amsterdam")
    assert again is not None
    assert again.totals().items() <= cdr.items()


def test_a_full_car_parks_and_an_evse_that_offers_nothing_does_not_make_it_pay(
    db: Database, loop: Loop
) -> None:
    world = World(db, loop, tariff("T1", element("TIME", 1.0), element("PARKING_TIME", 6.0)))
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(0, 0.0))
    world.meter(session_id, reading(600, 1800.0, 0.0))  # full
    world.meter(session_id, reading(1200, 1800.0, 5000.0))  # balancing
    world.meter(session_id, reading(1500, 2200.0, 0.0, limit_w=0.0))  # held back by a profile
    world.meter(session_id, reading(2100, 2200.0, 0.0, limit_w=0.0))
    world.end(session_id, 2100, 2200.0)
    [cdr] = world.cdrs()
    courses = [
        {d["type"]: d["volume"] for d in period["dimensions"] if "_POWER" not in d["type"]}
        for period in cdr["charging_periods"]
    ]
    assert [list(course)[:2] for course in courses] == [
        ["ENERGY", "TIME"],
        ["PARKING_TIME"],
        ["ENERGY", "TIME"],
        ["ENERGY"],
    ]
    assert cdr["total_time_cost"]["excl_vat"] == 0.25  # 15 minutes
    assert cdr["total_parking_cost"]["excl_vat"] == 1.0  # 10 minutes
    assert cdr["total_energy"] == 2.2


def test_what_flowed_before_a_boundary_of_the_tariff_stays_billed_as_it_was(
    db: Database, loop: Loop
) -> None:
    """16:30 in Amsterdam; from 17:00 on energy is dearer. The car charges ever slower."""
    two_prices = tariff(
        "T1",
        element("ENERGY", 0.2, start_time="07:00", end_time="17:00"),
        element("ENERGY", 1.0),
    )
    world = World(db, loop, two_prices, rules=Rules(update_every_s=0))
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(0, 0.0))
    world.meter(session_id, reading(1790, 9000.0))
    world.meter(session_id, reading(1810, 9040.0, 2000.0))
    at_once = world.session(session_id)
    assert [p["start_date_time"] for p in at_once["charging_periods"]] == [
        "2025-05-05T14:30:00Z",
        "2025-05-05T15:00:00Z",
    ]
    for minute in range(31, 61):
        world.meter(session_id, reading(minute * 60, 9040.0 + (minute - 30) * 10, 600.0))
    world.end(session_id, 3600, 9340.0)
    done = world.session(session_id)
    assert done["charging_periods"][0] == at_once["charging_periods"][0]
    [cdr] = world.cdrs()
    # 9.02 kWh until 17:00 sharp, 0.32 kWh from then on.
    assert cdr["total_cost"]["excl_vat"] == pytest.approx(9.02 * 0.2 + 0.32 * 1.0)
    assert len(cdr["charging_periods"]) == 2


def test_power_over_a_limit_of_the_tariff_and_a_new_limit_open_a_period(
    db: Database, loop: Loop
) -> None:
    slow_and_fast = tariff("T1", element("ENERGY", 0.3, max_power=16.0), element("ENERGY", 0.6))
    world = World(db, loop, slow_and_fast)
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(0, 0.0, 11000.0))
    world.meter(session_id, reading(100, 1000.0, 20000.0))
    world.meter(session_id, reading(200, 2000.0, 21000.0))
    world.meter(session_id, reading(300, 3000.0, 11000.0, limit_w=11000.0))
    world.meter(session_id, reading(400, 3500.0, 5500.0, limit_w=5500.0))
    world.end(session_id, 500, 4000.0)
    [cdr] = world.cdrs()
    energies = [p["dimensions"][0]["volume"] for p in cdr["charging_periods"]]
    assert energies == [1.0, 2.0, 0.5, 0.5]
    assert cdr["total_cost"]["excl_vat"] == pytest.approx(0.3 * 2.0 + 0.6 * 2.0)


def test_a_start_that_never_begins_ends_invalid_with_the_reason_and_without_a_bill(
    world: World,
) -> None:
    refused = world.open()
    assert world.end(refused, 60, 0.0, "timeout") == "INVALID"
    given_up = world.open(70)
    assert world.abandon(given_up, 100, "the charge point rejected it") == "INVALID"
    for session_id, reason in ((refused, "timeout"), (given_up, "the charge point rejected it")):
        assert world.session(session_id)["status"] == "INVALID"
        assert "end_date_time" in world.session(session_id)
        assert world.inner(session_id)["end_reason"] == reason
    assert world.cdrs() == []


def test_a_start_that_was_refused_and_begins_all_the_same_is_billed_and_stopped(
    world: World,
) -> None:
    session_id = world.open()
    assert world.abandon(session_id, 10, "the charge point rejected it") == "INVALID"
    assert world.begin(session_id, 20) == "ACTIVE"
    assert world.session(session_id)["status"] == "ACTIVE"
    assert world.inner(session_id)["to_stop"] is True
    assert world.end(session_id, 60, 90.0, "remote") == "COMPLETED"
    assert "to_stop" not in world.inner(session_id)
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.09]


def test_what_a_charge_point_says_after_its_own_last_word_is_kept_for_the_operator(
    world: World,
) -> None:
    session_id = world.open()
    world.begin(session_id)
    world.end(session_id, 120, 400.0)
    session, cdrs = world.session(session_id), world.cdrs()

    assert world.begin(session_id, 0) == "COMPLETED"
    assert world.meter(session_id, reading(130, 400.0)) == "COMPLETED"
    assert "unbilled" not in world.inner(session_id)
    assert world.meter(session_id, reading(1000, 2400.0)) == "COMPLETED"
    assert world.end(session_id, 1100, 2500.0) == "COMPLETED"
    inner = world.inner(session_id)
    assert (inner["unbilled"]["energy_wh"], inner.get("to_stop")) == (2100.0, None)  # type: ignore[index]
    assert (world.session(session_id), world.cdrs()) == (session, cdrs)


def test_the_same_news_twice_or_in_the_wrong_order_changes_nothing(world: World) -> None:
    session_id = world.open()
    assert world.open(session_id=session_id) == session_id
    world.begin(session_id, 10)
    world.begin(session_id, 10)
    world.meter(session_id, reading(60, 500.0))
    world.meter(session_id, reading(60, 500.0))
    world.meter(session_id, reading(30, 250.0))
    inner = world.inner(session_id)
    assert (inner["energy_wh"], inner["last_at"], inner["started"]) == (500.0, after(60), after(10))
    world.end(session_id, 70, 510.0)
    world.end(session_id, 70, 510.0)
    assert len(world.cdrs()) == 1


def test_a_lost_start_message_costs_nothing_of_what_was_metered(world: World) -> None:
    session_id = world.open()
    assert world.meter(session_id, reading(60, 500.0), register_wh=1500.0) == "ACTIVE"
    assert world.inner(session_id)["register_start_wh"] == 1000.0
    other = None
    world.end(session_id, 61, 505.0)
    other = world.open(100)
    assert world.end(other, 200, 300.0) == "COMPLETED"
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.505, 0.3]


def test_a_session_that_nobody_opened_is_unknown(world: World) -> None:
    for news in (
        lambda: world.begin("nobody's"),
        lambda: world.meter("nobody's", reading(1, 1.0)),
        lambda: world.end("nobody's", 1, 1.0),
    ):
        with pytest.raises(UnknownSession):
            news()
    assert world.abandon("nobody's", 1) is None


def test_one_session_runs_per_connector_also_when_starts_race_in_two_workers(
    world: World, store_url: str
) -> None:
    """Two Database clients, as two workers have, open at the same moment, many times."""

    async def race() -> list[Any]:
        workers = [Database.connect(store_url) for _ in range(2)]
        try:

            async def start(worker: Database) -> str:
                rival = object.__new__(World)
                rival.__dict__ |= {**world.__dict__, "db": worker, "store": DbInterface(worker)}
                return await DbInterface(worker).transact(lambda tx: rival.opening(tx))

            return await asyncio.gather(
                *(start(workers[index % 2]) for index in range(8)), return_exceptions=True
            )
        finally:
            for worker in workers:
                worker.close()

    outcomes = world.loop.run(race())
    [winner] = [outcome for outcome in outcomes if isinstance(outcome, str)]
    losers = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    assert [type(loser) for loser in losers] == [ConnectorBusy] * 7
    assert {loser.session_id for loser in losers} == {winner}
    running = world.loop.run(charging_sessions.running_session(world.db, "CP-001", "1"))
    assert running is not None
    assert running["_id"] == winner


def test_the_store_itself_refuses_a_second_running_session(world: World) -> None:
    first = world.inner(world.open())

    async def smuggle() -> None:
        await world.db["charging_sessions"].insert_one({**first, "_id": "second"})

    with pytest.raises(Exception, match="duplicate key"):
        world.loop.run(smuggle())


def test_a_tariff_changed_meanwhile_is_as_it_was_for_the_running_session(world: World) -> None:
    from domain.objects.tariffs import owned_tariff

    session_id = world.open()
    world.begin(session_id)
    dearer = tariff("T1", element("ENERGY", 9.0), last_updated="2025-05-05T14:30:30Z")
    world.put("tariffs", owned_tariff(dearer))
    world.meter(session_id, reading(60, 1000.0))
    world.end(session_id, 60, 1000.0)
    assert world.cdrs()[0]["total_cost"]["excl_vat"] == 0.4
    next_one = world.open(100)
    world.begin(next_one, 100)
    world.end(next_one, 160, 1000.0)
    assert world.cdrs()[1]["total_cost"]["excl_vat"] == 9.0


def test_without_a_tariff_a_session_is_free_and_says_no_price(db: Database, loop: Loop) -> None:
    world = World(db, loop)
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(3600, 11000.0))
    world.end(session_id, 3600, 11000.0)
    assert "total_cost" not in world.session(session_id)
    assert world.session(session_id)["currency"] == "EUR"
    [cdr] = world.cdrs()
    assert cdr["total_cost"] == {"excl_vat": 0.0, "incl_vat": 0.0}
    assert (cdr["total_energy"], cdr["total_time"]) == (11.0, 1.0)
    assert "tariffs" not in cdr


@pytest.mark.parametrize(("cdr_zero", "made"), [(True, 1), (False, 0)])
def test_sessions_that_cost_nothing_have_a_cdr_by_setting(
    db: Database, loop: Loop, cdr_zero: bool, made: int
) -> None:
    world = World(db, loop, tariff(), rules=Rules(cdr_zero=cdr_zero))
    session_id = world.open()
    world.begin(session_id)
    assert world.end(session_id, 60, 0.0) == "COMPLETED"
    assert len(world.cdrs()) == made


def test_only_the_party_whose_token_was_used_sees_session_and_cdr(world: World) -> None:
    session_id = world.open()
    world.begin(session_id)
    world.end(session_id, 60, 100.0)
    for module in ("sessions", "cdrs"):
        for party, sees in (("de*msp", True), ("de*oth", False), ("nl*evc", False)):
            open_to = audiences(module, Reader(parties=(party,)))
            found = world.loop.run(world.store.objects(module).read(session_id, open_to))
            assert (found is not None) is sees


def test_a_wrong_clock_of_a_charge_point_does_not_make_years_of_charging(world: World) -> None:
    session_id = world.open()

    async def wrong(tx: Tx) -> str:
        return await charging_sessions.session_began(
            tx,
            session_id,
            at=after(0) - timedelta(days=20000),
        )

    world.transact(wrong)
    assert world.inner(session_id)["started"] == after(0)


def test_signed_data_and_the_meter_go_into_the_cdr(world: World) -> None:
    async def register() -> None:
        await world.db["registrations"].insert_one(
            {
                "_id": "CP-001",
                "folded_id": "cp-001",
                "metadata": {"meter_id": "M-77"},
                "status": "REGISTERED",
                "site_id": "loc1",
            }
        )

    world.loop.run(register())
    signed = {
        "encoding_method": "OCMF",
        "signed_values": [{"nature": "End", "plain_data": "{}", "signed_data": "OCMF|{}|{}"}],
    }
    session_id = world.open()
    world.begin(session_id)
    world.end(session_id, 60, 100.0, signed_data=signed)
    [cdr] = world.cdrs()
    assert (cdr["signed_data"], cdr["meter_id"]) == (signed, "M-77")


def test_the_charge_point_names_the_session_that_holds_it(world: World) -> None:
    async def held() -> str | None:
        document = await world.db["charge_points"].find_one({"_id": "CP-001"})
        return document["session_id"] if document else None

    session_id = world.open()
    assert world.loop.run(held()) == session_id
    world.fall_silent(session_id, 10)
    assert world.loop.run(held()) is None


def test_what_is_asked_of_the_sessions_finds_its_index(world: World) -> None:
    async def plan(query: dict[str, Any]) -> str:
        found = await world.db["charging_sessions"].find(query).explain()
        return str(found["queryPlanner"]["winningPlan"])

    for query in (
        {"cp_id": "CP-001", "running": True},
        {"running": True, "last_heard": {"$lte": after(0)}},
        {"to_stop": True, "cp_id": {"$nin": ["CP-002"]}},
        {"suspect.since": {"$lte": after(0)}, "_id": {"$nin": ["S"]}},
        {"reservation_id": "R1", "status": "RESERVATION"},
    ):
        assert "COLLSCAN" not in world.loop.run(plan(query)), query
