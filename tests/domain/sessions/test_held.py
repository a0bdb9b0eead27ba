"""Nothing out of thin air: what no connector can give, and no card has opened, is billed by
nobody but the operator; and what operators do by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db_interface.database import Database
from domain.objects.tokens import owned_token
from domain.schemas import Token, validate
from domain.sessions import charging_sessions
from domain.sessions.plausibility import power_bound_w
from domain.sessions.session_hands import NotByHand, end_by_hand, release, write_off
from domain.sessions.session_rules import Rules
from domain.sessions.unannounced_sessions import open_unannounced
from tests.conftest import Loop
from tests.domain.sessions.worlds import STAMP, TOKEN, World, after, reading, tariff


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff(), rules=Rules())


def begun(world: World) -> str:
    session_id = world.open()
    world.begin(session_id)
    world.meter(session_id, reading(60, 180.0))
    return session_id


def held(world: World, session_id: str) -> str | None:
    hold = world.inner(session_id).get("held")
    return None if hold is None else hold["why"]


def test_more_than_the_connector_can_give_is_neither_published_nor_billed(world: World) -> None:
    session_id = begun(world)
    before = world.session(session_id)
    world.meter(session_id, reading(120, 5_000_000.0))
    assert held(world, session_id) == (
        "5000000 Wh in 3 minutes are more than its connector can give (22 kW)"
    )
    assert world.end(session_id, 130, 5_000_100.0) == "COMPLETED"
    assert world.session(session_id) == before
    assert world.cdrs() == []


@pytest.mark.parametrize(
    ("seconds", "energy_wh", "more", "why"),
    [
        (120, 100.0, {}, "its energy fell"),
        (120, 200.0, {"register_wh": 900.0}, "its register fell"),
        (4000, 9e11, {}, "more than its connector can give"),
    ],
)
def test_a_final_word_that_cannot_be_true_holds_the_session(
    world: World, seconds: float, energy_wh: float, more: dict[str, float], why: str
) -> None:
    session_id = begun(world)
    world.end(session_id, seconds, energy_wh, **more)  # type: ignore[arg-type]
    assert why in (held(world, session_id) or "")
    assert world.cdrs() == []


@pytest.mark.parametrize(
    ("moved", "why"), [(400, "dated in the future"), (-7200, "before the session was opened")]
)
def test_times_that_no_session_can_have_hold_it(world: World, moved: float, why: str) -> None:
    session_id = begun(world)
    world.clock.at = after(100)
    world.transact(
        lambda tx: charging_sessions.session_ended(
            tx, session_id, at=after(100) + timedelta(seconds=moved), energy_wh=200.0, reason="x"
        )
    )
    assert why in (held(world, session_id) or "")
    assert world.cdrs() == []


def test_full_power_all_the_time_is_plausible(world: World) -> None:
    session_id = world.open()
    world.begin(session_id)
    for minute in range(1, 11):
        world.meter(session_id, reading(minute * 60, minute * 22_000 / 60, 22_000.0))
    world.end(session_id, 600, 22_000 / 6)
    assert held(world, session_id) is None
    assert len(world.cdrs()) == 1


def test_a_lost_start_message_holds_nothing(world: World) -> None:
    session_id = world.open()
    world.meter(session_id, reading(1800, 10_000.0), register_wh=11_000.0)
    assert world.end(session_id, 1860, 10_300.0) == "COMPLETED"
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [10.3]


@pytest.mark.parametrize(
    ("connector", "watts"),
    [
        ({"power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32}, 22080),
        ({"power_type": "AC_1_PHASE", "max_voltage": 230, "max_amperage": 16}, 3680),
        (
            {
                "power_type": "DC",
                "max_voltage": 920,
                "max_amperage": 500,
                "max_electric_power": 150_000,
            },
            150_000,
        ),
    ],
)
def test_what_a_connector_can_give(connector: dict[str, object], watts: int) -> None:
    assert power_bound_w(connector) == watts


def test_a_session_whose_meter_signed_for_another_energy_is_held(world: World) -> None:
    def record(transaction: str, wh: float) -> dict[str, str]:
        payload = (
            '{"FV":"1.0","MS":"M1","RD":[{"TM":"2025-05-05T14:30:00,000+0000 S",'
            f'"TX":"{transaction}","RV":{wh},"RI":"1-b:1.8.0","RU":"Wh","ST":"G"}}]}}'
        )
        text = f'OCMF|{payload}|{{"SD":"3006020101020101"}}'
        nature = "Start" if transaction == "B" else "End"
        return {"nature": nature, "plain_data": payload, "signed_data": text}

    signed = {"encoding_method": "OCMF", "signed_values": [record("B", 1000), record("E", 1250)]}
    world.end(begun(world), 120, 250.0, signed_data=signed)
    assert len(world.cdrs()) == 1
    wrong = world.open(200)
    world.begin(wrong, 200)
    world.end(wrong, 320, 300.0, signed_data=signed)
    assert held(world, wrong) == "the meter signed for 250 Wh, billed are 300.0 Wh"
    assert len(world.cdrs()) == 1


# --- nobody opened it ---------------------------------------------------------------------------


def unannounced(world: World, *, source: str = "local", **token: object) -> str:
    fields = {name: value for name, value in TOKEN.items() if name != "group_id"}
    card = {
        **fields,
        "issuer": "MSP",
        "valid": True,
        "whitelist": "ALWAYS",
        "last_updated": STAMP,
        **token,
    }
    world.put("tokens", owned_token(validate(Token, card)))
    world.transact(
        lambda tx: open_unannounced(
            tx,
            cp_id="CP-001",
            connector_id="1",
            session_id="x-1",
            id_tag="card-1",
            source=source,
            at=after(0),
            rules=world.rules,
        ),
        1,
    )
    world.begin("x-1", 1)
    world.end("x-1", 600, 1000.0)
    return "x-1"


@pytest.mark.parametrize("whitelist", ["ALWAYS", "ALLOWED"])
@pytest.mark.parametrize("source", ["local", "remote"])
def test_a_valid_card_that_needs_no_asking_opens_a_session(
    world: World, whitelist: str, source: str
) -> None:
    unannounced(world, whitelist=whitelist, source=source)
    [cdr] = world.cdrs()
    assert cdr["auth_method"] == "WHITELIST"  # whatever the charge point calls it


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ({"valid": False}, "its token is not valid"),
        ({"whitelist": "NEVER"}, "its eMSP was not asked"),
        ({"whitelist": "ALLOWED_OFFLINE"}, "its eMSP was not asked"),
        ({"valid": False, "whitelist": "NEVER"}, "its token is not valid"),
    ],
)
def test_a_session_that_nobody_authorized_is_seen_and_billed_by_nobody(
    world: World, token: dict[str, object], why: str
) -> None:
    session_id = unannounced(world, source="remote", **token)
    assert why in (held(world, session_id) or "")
    assert world.cdrs() == []
    assert world.loop.run(world.store.get("sessions", f"nl/evc/{session_id}")) is None


# --- by hand ------------------------------------------------------------------------------------


def test_a_held_session_is_released_by_the_operator(world: World) -> None:
    session_id = unannounced(world, whitelist="NEVER")
    after_it = world.by_hand(900, release, session_id)
    assert after_it["by_hand"] == [{"by": "ann", "at": after(900), "what": "released"}]
    assert world.session(session_id)["status"] == "COMPLETED"
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [1.0]
    with pytest.raises(NotByHand, match="not held"):
        world.by_hand(901, release, session_id)


def test_a_held_session_is_billed_with_the_energy_that_the_operator_says(world: World) -> None:
    session_id = begun(world)
    world.end(session_id, 130, 5_000_100.0)
    world.by_hand(900, end_by_hand, session_id, energy_wh=400.0)
    [cdr] = world.cdrs()
    assert (cdr["total_energy"], cdr["remark"]) == (0.4, "ended: by hand (ann)")
    assert world.inner(session_id)["by_hand"][-1]["what"] == "ended with 0.4 kWh"


def test_a_held_session_is_written_off(world: World) -> None:
    session_id = begun(world)
    world.end(session_id, 130, 5_000_100.0)
    assert world.by_hand(900, write_off, session_id)["status"] == "INVALID"
    assert world.session(session_id)["status"] == "INVALID"
    assert world.cdrs() == []
    with pytest.raises(NotByHand, match="nothing to write off"):
        world.by_hand(901, write_off, session_id)


def test_a_session_whose_engine_is_dead_is_ended_by_hand(world: World) -> None:
    session_id = begun(world)
    world.by_hand(900, end_by_hand, session_id, energy_wh=1500.0, at=after(600))
    [cdr] = world.cdrs()
    assert (cdr["total_energy"], cdr["end_date_time"]) == (1.5, "2025-05-05T14:40:00Z")
    assert not world.inner(session_id)["running"]
    with pytest.raises(NotByHand, match="cpo cdrs credit"):
        world.by_hand(901, end_by_hand, session_id)


def test_the_charge_points_word_after_an_end_by_hand_corrects_it_also_downwards(
    world: World,
) -> None:
    session_id = begun(world)
    world.by_hand(900, end_by_hand, session_id, energy_wh=1500.0, at=after(600))
    assert world.meter(session_id, reading(300, 800.0)) == "ACTIVE"
    assert world.end(session_id, 500, 1200.0) == "COMPLETED"
    assert [(cdr["total_energy"], bool(cdr.get("credit"))) for cdr in world.cdrs()] == [
        (1.5, False),
        (1.5, True),
        (1.2, False),
    ]


def test_a_start_that_never_began_is_ended_by_hand_without_a_bill_or_with_one(
    world: World,
) -> None:
    nothing = world.open()
    assert world.by_hand(200, end_by_hand, nothing)["status"] == "INVALID"
    assert world.cdrs() == []
    with pytest.raises(NotByHand, match="--energy"):
        world.by_hand(201, end_by_hand, nothing)
    something = world.open(300)
    world.by_hand(900, end_by_hand, something, energy_wh=700.0, at=after(800))
    assert [cdr["total_energy"] for cdr in world.cdrs()] == [0.7]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"energy_wh": -1.0}, "negative"),
        ({"at": after(5000)}, "between"),
        ({"at": after(-5000)}, "between"),
    ],
)
def test_what_cannot_be_is_refused_by_hand_too(
    world: World, more: dict[str, object], why: str
) -> None:
    session_id = begun(world)
    with pytest.raises(NotByHand, match=why):
        world.by_hand(900, end_by_hand, session_id, **more)
    with pytest.raises(NotByHand, match="no such session"):
        world.by_hand(900, end_by_hand, "nobody's")
