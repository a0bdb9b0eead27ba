"""Drivers charge, by app and by card: every service a process, two eMSPs that watch over OCPI."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.conftest import Loop
from tests.e2e.charging_system import CP, FULL_W, HALF_W, PLACE, ChargingSystem, charging_system
from tests.e2e.emsp import Asked, Emsp, moment, ocpi_time
from tests.e2e.processes import Process, eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

SPEED = 30
"""How much faster than the clock cars charge here; power is not changed by it."""


@pytest.fixture(scope="module")
def shared(
    loop: Loop, tmp_path_factory: pytest.TempPathFactory, module_store_url: str
) -> Iterator[ChargingSystem]:
    directory = tmp_path_factory.mktemp("charging")
    settings = {"COMMAND_AWAIT_TIME": "10"}
    with charging_system(loop, directory, module_store_url, settings, both=True) as system:
        system.at_charge_point("speed", factor=SPEED)
        yield system


@pytest.fixture
def system(shared: ChargingSystem) -> Iterator[ChargingSystem]:
    """The shared system with a free charge point; nobody may have found fault with a request."""
    shared.evse_is("AVAILABLE", timeout_s=10)
    yield shared
    assert not shared.first.server.complaints and not shared.second.server.complaints
    assert "Traceback" not in shared.central.output


def test_started_watched_limited_and_stopped_by_app(system: ChargingSystem) -> None:
    app = system.first
    seen = app.server.evse_states[CP]
    # Given a token that its eMSP has pushed
    token = app.push_token("APP-1", type="APP_USER")

    # When the driver starts from the app
    already = len(seen)
    start = app.command("START_SESSION", token=token, **PLACE)
    asked_as = app.correlation_id
    assert start.accepted and start.answer.data["timeout"] == 10
    assert start.result == {"result": "ACCEPTED"}

    # Then one id finds it in every log, from the request to the charge point and back
    def lines_of(process: Process) -> list[str]:
        return [line for line in process.output.splitlines() if asked_as in line]

    eventually(lambda: any("delivered" in line for line in lines_of(system.central)), what="logs")
    asked, answered, told = (
        next(line for line in lines_of(system.central) if words in line)
        for words in ("POST commands: HTTP 200", "answered by the charge point", "delivered")
    )
    assert "peer_id=peer-" in asked and "request_id=" in asked
    assert f"cp_id={CP}" in answered and "command_id=" in answered
    (carried_out,) = lines_of(system.engine)
    assert "command start" in carried_out and f"cp_id={CP}" in carried_out
    assert told.split("command_id=")[1].split()[0].rstrip("]") in carried_out

    # Then the EVSE is charging, by push and by GET, and the session grows
    eventually(lambda: "CHARGING" in seen[already:], what="CHARGING pushed")
    assert app.evse_status(CP, CP) == "CHARGING"
    session = app.session("ACTIVE", kwh=0.2)
    session_id = session["id"]
    assert (session["auth_method"], session["cdr_token"]["uid"]) == ("COMMAND", "APP-1")
    assert session["location_id"] == session["evse_uid"] == CP
    assert [row for row in app.all("sessions") if row["id"] == session_id]

    # A charging profile halves the power
    limit = app.set_profile(session_id, HALF_W)
    assert limit.accepted and limit.result == {"result": "ACCEPTED"}
    shown = app.active_profile(session_id).result["profile"]["charging_profile"]
    assert shown["charging_profile_period"] == [{"start_period": 0, "limit": HALF_W}]
    halved = app.session("ACTIVE", session_id, kwh=app.course(session_id)[-1]["kwh"] + 0.2)
    metered = [volumes(period)["MAX_POWER"] for period in halved["charging_periods"]]
    assert metered == [FULL_W / 1000, HALF_W / 1000]

    # When the driver stops
    stop = app.command("STOP_SESSION", session_id=session_id)
    assert stop.accepted and stop.result == {"result": "ACCEPTED"}

    # Then the session is completed and billed once, at the price of the tariff
    ended = app.session("COMPLETED", session_id)
    cdr = app.cdr_of(session_id)
    assert billed_alike(ended, cdr)
    assert cdr["remark"] == "ended: remote"
    assert cdr["total_energy"] == ended["kwh"] > halved["kwh"]
    assert powers_w(cdr) == pytest.approx([FULL_W, HALF_W], rel=0.05)
    priced = system.price(cdr)
    assert {name: cdr[name] for name in priced} == priced
    assert cdr["total_cost"]["excl_vat"] == pytest.approx(cost_of(cdr["total_energy"]), abs=6e-5)
    assert [row for row in app.all("cdrs") if row["session_id"] == session_id] == [cdr]
    runs_on_without_a_jump(app.course(session_id))

    # The car leaves, and whoever set the profile hears that it is over
    eventually(lambda: seen[-1] == "AVAILABLE", what="AVAILABLE pushed")
    eventually(lambda: app.server.active_profiles[session_id], what="the end of the profile")
    assert app.times_told(cdr) == 1


def test_by_card_as_its_whitelist_allows(system: ChargingSystem) -> None:
    emsp = system.first
    # Given a token that was pulled from its eMSP after the handshake, and one that it has blocked
    card = "PULLED-3"
    path = (*emsp.server.party, card)
    eventually(lambda: emsp.ask("GET", "tokens", *path).data, what="all pages pulled")
    emsp.push_token("CARD-BLOCKED", valid=False)
    asked = len(emsp.server.questions)

    # Then the card starts without its eMSP being asked, and the same card stops
    system.at_charge_point("plug")
    refused = system.swipe("CARD-BLOCKED")
    assert (refused["action"], refused["allowed"]) == ("none", "BLOCKED")
    started = system.swipe(card)
    assert (started["action"], started["result"]) == ("start", "ACCEPTED")
    session = emsp.session("ACTIVE", started["session_id"], kwh=0.1)
    assert (session["auth_method"], session["cdr_token"]["uid"]) == ("WHITELIST", card)
    eventually(lambda: emsp.server.evse_states[CP][-1] == "CHARGING", what="CHARGING pushed")
    assert system.swipe("CARD-BLOCKED")["action"] == "none"
    assert system.swipe(card)["action"] == "stop"
    system.at_charge_point("unplug")

    assert billed_alike(emsp.session("COMPLETED", session["id"]), cdr := emsp.cdr_of(session["id"]))
    assert cdr["remark"] == "ended: local"
    assert len(emsp.server.questions) == asked
    runs_on_without_a_jump(emsp.course(session["id"]))


def test_by_card_with_an_emsp_that_is_asked_and_slow(system: ChargingSystem) -> None:
    emsp = system.first
    emsp.server.tokens += [
        emsp.push_token("CARD-OFFLINE", whitelist="ALLOWED_OFFLINE"),
        emsp.push_token("CARD-NEVER", whitelist="NEVER"),
    ]
    asked = len(emsp.server.questions)
    system.at_charge_point("plug")

    # Given an eMSP that does not answer in time
    emsp.server.mute = True
    before = time.monotonic()
    refused = system.swipe("CARD-NEVER")
    assert (refused["action"], refused["allowed"]) == ("none", "NOT_ALLOWED")
    offline = system.swipe("CARD-OFFLINE")
    assert (offline["action"], offline["result"]) == ("start", "ACCEPTED")
    assert 2 <= time.monotonic() - before < 20  # CENTRAL_AUTHORIZE_TIMEOUT_S each
    emsp.server.mute = False
    session = emsp.session("ACTIVE", offline["session_id"])
    assert session["auth_method"] == "WHITELIST"
    assert system.swipe("CARD-OFFLINE")["action"] == "stop"
    emsp.cdr_of(session["id"])

    # When it answers, its word counts, and its reference reaches the CDR
    allowed = system.swipe("CARD-NEVER")
    assert (allowed["action"], allowed["info"]) == ("start", "said ALLOWED")
    session = emsp.session("ACTIVE", allowed["session_id"], kwh=0.01)
    assert system.swipe("CARD-NEVER")["action"] == "stop"
    cdr = emsp.cdr_of(session["id"])
    for told in (session, cdr):
        assert told["auth_method"] == "AUTH_REQUEST"
        assert told["authorization_reference"] == "REF-CARD-NEVER"

    emsp.server.allowed = "NO_CREDIT"
    said_no = system.swipe("CARD-OFFLINE")
    assert (said_no["action"], said_no["allowed"]) == ("none", "NO_CREDIT")
    emsp.server.allowed = "ALLOWED"
    uids = [uid for uid, _ in emsp.server.questions[asked:]]
    assert uids == ["CARD-NEVER", "CARD-OFFLINE", "CARD-NEVER", "CARD-OFFLINE"]
    assert emsp.server.questions[asked][1] == {"location_id": CP, "evse_uids": [CP]}
    system.at_charge_point("unplug")
    sessions = emsp.server.told("sessions").values()
    assert len([one for one in sessions if one["cdr_token"]["uid"] == "CARD-NEVER"]) == 1


def test_another_emsp_sees_nothing_and_can_do_nothing(system: ChargingSystem) -> None:
    owner, other = system.first, system.second
    token = owner.push_token("CARD-OWN")
    assert owner.command("START_SESSION", token=token, **PLACE).result["result"] == "ACCEPTED"
    session_id = session_of(owner, "CARD-OWN")["id"]

    # The other sees that the EVSE is charging, and nothing of who does
    eventually(lambda: other.server.evse_states[CP][-1:] == ["CHARGING"], what="CHARGING pushed")
    assert other.all("sessions") == other.all("cdrs") == []
    country_code, party_id = owner.server.party
    path = (country_code, party_id, "CARD-OWN")
    assert owner.ask("GET", "tokens", *path).data["uid"] == "CARD-OWN"
    assert other.ask("GET", "tokens", *path).data is None
    stolen = other.ask("PUT", "tokens", *path, body={**token, "valid": False})
    assert stolen.status_code != 1000

    # It can neither stop nor steer it, nor start with the other's token
    for refused in (
        other.command("STOP_SESSION", session_id=session_id),
        other.set_profile(session_id, 0),
        other.active_profile(session_id),
    ):
        assert refused.answer.data["result"] == "UNKNOWN_SESSION"
    assert other.command("START_SESSION", token=token, **PLACE).answer.data["result"] == "REJECTED"
    unlock = other.command("UNLOCK_CONNECTOR", **PLACE, connector_id="1")
    assert unlock.answer.data["result"] == "REJECTED"
    wishes = other.ask(
        "PUT", "sessions", session_id, "charging_preferences", body={"profile_type": "CHEAP"}
    )
    assert wishes.status_code != 1000
    assert owner.ask("GET", "tokens", *path).data["valid"] is True

    # Its owner stops it; the other never hears of session or CDR
    kwh = owner.course(session_id)[-1]["kwh"]
    owner.session("ACTIVE", session_id, kwh=kwh + 0.01)
    assert owner.command("STOP_SESSION", session_id=session_id).result["result"] == "ACCEPTED"
    owner.cdr_of(session_id)
    eventually(lambda: other.server.evse_states[CP][-1:] == ["AVAILABLE"], what="AVAILABLE pushed")
    assert other.all("sessions") == other.all("cdrs") == []
    assert {module for module, _ in other.server.objects} <= {"locations", "tariffs"}
    assert not other.server.results


def test_a_reservation_keeps_the_evse_for_its_driver_until_it_expires(
    system: ChargingSystem,
) -> None:
    app = system.first
    own, foreign = app.push_token("CARD-RESERVING"), app.push_token("CARD-PASSING-BY")

    def reserve(reservation_id: str, expiry_date: str) -> Asked:
        return app.command(
            "RESERVE_NOW",
            token=own,
            reservation_id=reservation_id,
            expiry_date=expiry_date,
            **PLACE,
        )

    # Given a reservation
    assert reserve("R-1", ocpi_time(300)).result["result"] == "ACCEPTED"
    eventually(lambda: app.server.evse_states[CP][-1] == "RESERVED", what="RESERVED pushed")
    assert app.evse_status(CP, CP) == "RESERVED"
    reserved = app.session("RESERVATION")

    # Then nobody else starts, neither by app nor by card
    refused = app.command("START_SESSION", token=foreign, **PLACE)
    assert refused.answer.data["result"] == "REJECTED"
    system.at_charge_point("plug")
    assert system.swipe("CARD-PASSING-BY")["action"] == "none"
    assert app.evse_status(CP, CP) == "RESERVED"

    # Its driver does, and the reservation's session becomes his
    assert system.swipe("CARD-RESERVING")["result"] == "ACCEPTED"
    app.session("ACTIVE", reserved["id"], kwh=0.01)
    assert app.command("STOP_SESSION", session_id=reserved["id"]).result["result"] == "ACCEPTED"
    cdr = app.cdr_of(reserved["id"])
    assert any("RESERVATION_TIME" in volumes(period) for period in cdr["charging_periods"])
    system.at_charge_point("unplug")
    system.evse_is("AVAILABLE")

    # Another one that nobody uses frees the EVSE by itself
    expiry = ocpi_time(3)
    assert reserve("R-2", expiry).result["result"] == "ACCEPTED"
    system.evse_is("RESERVED")
    unused = next(
        row
        for row in app.all("sessions")
        if row["status"] == "RESERVATION" and row["id"] != reserved["id"]
    )
    eventually(lambda: app.server.evse_states[CP][-1] == "AVAILABLE", what="AVAILABLE pushed")
    ended = app.session("COMPLETED", unused["id"])
    assert ended["kwh"] == 0 and ended["end_date_time"] == expiry
    assert app.command("START_SESSION", token=foreign, **PLACE).result["result"] == "ACCEPTED"
    passing_by = session_of(app, "CARD-PASSING-BY")
    assert app.command("STOP_SESSION", session_id=passing_by["id"]).result["result"] == "ACCEPTED"


def session_of(emsp: Emsp, uid: str) -> dict[str, Any]:
    """The ACTIVE session of a card, as it was pushed."""

    def found() -> dict[str, Any] | None:
        for session in emsp.server.told("sessions").values():
            if (session["cdr_token"]["uid"], session["status"]) == (uid, "ACTIVE"):
                return session
        return None

    return eventually(found, what=f"a session of {uid}")


def volumes(period: dict[str, Any]) -> dict[str, float]:
    return {row["type"]: row["volume"] for row in period["dimensions"]}


def powers_w(cdr: dict[str, Any]) -> list[float]:
    """The average over each charging period of the power that flowed, by the clock: a TIME of
    four decimals of an hour is too coarse for periods of seconds."""
    periods = cdr["charging_periods"]
    turns = [*(period["start_date_time"] for period in periods), cdr["end_date_time"]]
    hours = [(moment(b) - moment(a)).total_seconds() / 3600 for a, b in pairwise(turns)]
    energy = [volumes(period)["ENERGY"] for period in periods]
    return [kwh * 1000 / h / SPEED for kwh, h in zip(energy, hours, strict=True)]


def cost_of(kwh: float) -> float:
    """By the tariff: 1.00 once, and 0.50 per kWh in steps of 1 Wh."""
    return 1.0 + 0.5 * math.ceil(round(kwh * 1000, 4)) / 1000


def billed_alike(session: dict[str, Any], cdr: dict[str, Any]) -> bool:
    same = ("cdr_token", "auth_method", "currency", "total_cost", "charging_periods")
    return all(session[name] == cdr[name] for name in same) and (
        session["kwh"] == cdr["total_energy"]
        and session["end_date_time"] == cdr["end_date_time"]
        and session["start_date_time"] == cdr["start_date_time"]
    )


def runs_on_without_a_jump(course: list[dict[str, Any]]) -> None:
    """Energy and price only grow, each state is newer, and the price is always the energy's."""
    assert [one["status"] for one in course][-1] == "COMPLETED"
    assert len({one["kwh"] for one in course}) >= 3
    for before, after in pairwise(course):
        assert before["kwh"] <= after["kwh"]
        assert before["last_updated"] < after["last_updated"]
    for one in course:
        if "total_cost" in one:
            assert one["total_cost"]["excl_vat"] == pytest.approx(cost_of(one["kwh"]), abs=6e-5)
