"""POST /cp/register: who gets in, and what he is given."""

from __future__ import annotations

import logging
import re
from datetime import datetime

import pytest

from auth.charge_point_access import NOT_REGISTERED
from domain.charge_points import registrations
from domain.charge_points.registrations import Proof
from tests.cpo_app.central.conftest import World, state, token


def test_a_registered_charge_point_gets_in_and_is_available_over_ocpi(world: World) -> None:
    shown = world.enrol("CP-001")
    assert world.status() == "UNKNOWN"
    answer = world.api().register(shown)
    assert answer.status_code == 200
    assert re.fullmatch(r"[0-9a-f]{64}", answer.json()["command_key"])
    assert {**answer.json(), "command_key": ""} == {
        "status": "ok",
        "message": "CP CP-001 registered with EV_Central",
        "command_key": "",
        "heartbeat_interval_s": 2,
    }
    assert world.status() == "AVAILABLE"


def test_the_log_says_who_came_and_who_was_sent_away(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "cpo.central")
    shown = world.enrol("CP-001")
    api = world.api()
    for _ in range(2):
        assert api.register(shown).status_code == 200
    assert api.register(token("CP-404"), "CP-404").status_code == 403
    party, admin = api.central.party, Proof(admin=True)
    world.loop.run(registrations.deregister(world.store, "CP-001", proof=admin, party=party))
    assert api.register(shown).status_code == 403
    validated = "CP CP-001 validated via EV_Registry (location: Berlin)"
    assert [record.getMessage() for record in caplog.records] == [
        validated,
        "Registered new CP: CP-001",
        validated,
        "Updated existing CP: CP-001",
        "CP CP-404 attempted to register but not found in EV_Registry",
        "CP CP-001 is DEREGISTERED in EV_Registry - rejecting",
    ]


def test_refusals_are_json_with_error_detail_and_timestamp(world: World) -> None:
    world.enrol("CP-001")
    other = world.enrol("CP-002")
    api = world.api()
    for shown, cp_id, status, error, detail in (
        (token("CP-404"), "CP-404", 403, "forbidden", NOT_REGISTERED),
        (None, "CP-404", 401, "unauthorized", "the charge point's token is missing"),
        (None, "CP-001", 401, "unauthorized", "the charge point's token is missing"),
        ("rubbish", "CP-001", 401, "unauthorized", "charge point token invalid"),
        (token("CP-001", secret="x" * 40), "CP-001", 401, "unauthorized", "token invalid"),
        (token("CP-001", lifetime_s=-60), "CP-001", 401, "unauthorized", "expired"),
        (token("CP-001", version=9), "CP-001", 401, "unauthorized", "outdated"),
        (other, "CP-001", 403, "forbidden", "another charge point's"),
    ):
        answer = api.register(shown, cp_id)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert detail in answer.json()["detail"]
        assert set(answer.json()) == {"error", "detail", "timestamp"}
        assert datetime.fromisoformat(answer.json()["timestamp"].replace("Z", "+00:00"))
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_another_scheme_than_bearer_is_a_wrong_token(world: World) -> None:
    world.enrol("CP-001")
    body = {"cp_id": "CP-001", "cp_e_host": "localhost", "cp_e_port": 1}
    api = world.api(world.central(CENTRAL_REQUIRE_CP_TOKEN=False))
    headers = {"Authorization": "Basic YWRtaW46eA=="}
    answer = api.request("POST", "/cp/register", headers=headers, json=body)
    assert answer.status_code == 401


def test_a_deregistered_one_is_out_at_once(world: World) -> None:
    shown = world.enrol("CP-001")
    api = world.api()
    assert api.register(shown).status_code == 200
    party, admin = api.central.party, Proof(admin=True)
    world.loop.run(registrations.deregister(world.store, "CP-001", proof=admin, party=party))
    for answer in (api.register(shown), api.beat(shown), api.telemetry(shown)):
        assert answer.status_code in (400, 403)
    assert api.beat(shown).json()["detail"] == NOT_REGISTERED
    assert world.status() == "REMOVED"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cp_id", "a"),
        ("cp_id", "CP 001"),
        ("cp_id", "CP-001\n"),
        ("cp_id", {"$gt": ""}),
        ("cp_id", None),
        ("cp_e_port", 0),
        ("cp_e_port", 65536),
        ("cp_e_port", "http"),
        ("cp_e_host", ""),
        ("cp_e_host", "http://host"),
        ("cp_e_host", "host/path"),
        ("cp_e_host", "user@host"),
        ("cp_e_host", "host:80"),
        ("cp_e_host", "host name"),
        ("cp_e_host", "-host"),
        ("cp_e_host", "1.2.3"),
        ("cp_e_host", "0.0.0.0"),
        ("cp_e_host", "169.254.169.254"),
        ("cp_e_host", "224.0.0.1"),
        ("cp_e_host", "[::]"),
        ("cp_e_host", "a" * 64 + ".example"),
    ],
)
def test_bad_input_is_400_and_names_the_field(world: World, field: str, value: object) -> None:
    body = {"cp_id": "CP-001", "cp_e_host": "localhost", "cp_e_port": 8001, field: value}
    answer = world.api().post("/cp/register", token("CP-001"), body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert answer.json()["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("host", ["ev-cp-e-1", "cp_e.example.", "10.1.2.3", "[fd00::1]", "fd00::1"])
def test_names_and_addresses_are_taken(world: World, host: str) -> None:
    assert world.api().register(world.enrol("CP-001"), host=host).status_code == 200
    assert world.document()["host"] == host.strip("[]")


def test_what_is_no_json_is_400_and_what_is_too_large_413(world: World) -> None:
    api = world.api()
    bearer = f"Bearer {token('CP-001')}"
    headers = {"Content-Type": "application/json", "Authorization": bearer}
    for content in (b"{", b"\xff\xfe", b"[" * 100_000, b""):
        answer = api.request("POST", "/cp/register", headers=headers, content=content)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    answer = api.request("POST", "/cp/telemetry", headers=headers, content=b" " * 1_000_001)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_the_key_is_sealed_and_stays_until_the_host_changes(world: World) -> None:
    shown = world.enrol("CP-001")
    api = world.api()
    first = api.register(shown).json()["command_key"]
    assert first.encode() not in world.document()["command_key"]
    assert api.register(shown, port=8002).json()["command_key"] == first
    assert api.register(shown, host="10.0.0.9").json()["command_key"] != first


def test_two_charge_points_have_two_keys(world: World) -> None:
    first, second = world.enrol("CP-001"), world.enrol("CP-002")
    api = world.api()
    assert (
        api.register(first).json()["command_key"]
        != api.register(second, "CP-002").json()["command_key"]
    )


def test_without_a_token_nobody_learns_the_key_of_another(world: World) -> None:
    """Gradual rollout: it gets in, but with a new key each time."""
    shown = world.enrol("CP-001")
    open_api = world.api(world.central(CENTRAL_REQUIRE_CP_TOKEN=False))
    own = open_api.register(shown).json()["command_key"]
    answer = open_api.register(None)
    assert answer.status_code == 200
    assert answer.json()["command_key"] != own
    assert open_api.register(None, "CP-404").status_code == 403


def test_a_key_that_does_not_open_any_more_is_replaced(world: World) -> None:
    shown = world.enrol("CP-001")
    api = world.api()
    first = api.register(shown).json()["command_key"]

    async def spoil() -> None:
        await world.db["charge_points"].update_one(
            {"_id": "CP-001"}, {"$set": {"command_key": b"sealed by another"}}
        )

    world.loop.run(spoil())
    second = api.register(shown)
    assert second.status_code == 200
    assert second.json()["command_key"] not in ("", first)
    endpoint = world.loop.run(api.central.endpoint("CP-001"))
    assert endpoint is not None and endpoint.command_key == second.json()["command_key"]


def test_release_1_mode_takes_charge_points_that_the_registry_does_not_know(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The guide's "works as before": the rollout of EV_Registry begins with them."""
    central = world.central(CENTRAL_REQUIRE_CP_TOKEN=False, CENTRAL_ALLOW_UNREGISTERED=True)
    with caplog.at_level(logging.WARNING, "cpo.central"):
        world.loop.run(central.start())
    assert "CENTRAL_ALLOW_UNREGISTERED is on" in caplog.text
    api = world.api(central)
    assert api.register(None, "CP-OLD").status_code == 200
    assert api.beat(None, cp_id="CP-OLD").status_code == 200
    assert api.telemetry(None, state(1, "AVAILABLE"), cp_id="CP-OLD").status_code == 200
    assert world.document("CP-OLD")["ocpi_status"] == "AVAILABLE"
    # It is nobody's location yet: peers see it once it is registered.
    world.enrol("CP-OLD")
    assert world.status("CP-OLD") == "AVAILABLE"

    caplog.clear()
    strict = world.central()
    world.loop.run(strict.start())
    assert "CENTRAL_ALLOW_UNREGISTERED" not in caplog.text
    assert world.api(strict).register(None, "CP-NEW").status_code == 401
