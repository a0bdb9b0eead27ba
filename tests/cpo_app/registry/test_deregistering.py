"""DELETE /cp/{cp_id}: who may, and that nothing of the charge point is good afterwards."""

from __future__ import annotations

from collections.abc import Callable

from domain.charge_points import registrations
from tests.cpo_app.registry.conftest import ADMIN_KEY, Api


def test_a_charge_point_deregisters_itself_with_its_credentials(api: Api) -> None:
    credentials = api.registered("CP-001")["credentials"]

    answer = api.deregister("CP-001", existing=credentials)

    assert answer.status_code == 200
    assert (answer.json()["cp_id"], answer.json()["status"]) == ("CP-001", "DEREGISTERED")
    assert api.get("/cp/CP-001").json()["status"] == "DEREGISTERED"


def test_the_operator_deregisters_with_the_admin_key_and_may_repeat_it(guarded: Api) -> None:
    guarded.registered("CP-001", key=ADMIN_KEY)

    assert guarded.deregister("cp-001", key=ADMIN_KEY).status_code == 200
    assert guarded.deregister("CP-001", key=ADMIN_KEY).status_code == 200
    record = guarded.loop.run(registrations.get(guarded.store.db, "CP-001"))
    assert record is not None
    assert [(entry["event"], entry["by"]) for entry in record["history"]] == [
        ("registered", "admin"),
        ("deregistered", "admin"),
    ]


def test_a_token_that_travels_with_every_message_deregisters_nobody(api: Api) -> None:
    body = api.registered("CP-001")

    assert api.deregister("CP-001", token=body["token"]).status_code == 401
    assert api.authenticate("CP-001", body["credentials"]).status_code == 200


def test_nobody_else_may(guarded: Api) -> None:
    guarded.registered("CP-001", key=ADMIN_KEY)
    foreign = guarded.registered("CP-002", key=ADMIN_KEY)["credentials"]

    assert guarded.deregister("CP-001").status_code == 401
    assert guarded.deregister("CP-001", key="wrong").status_code == 401
    assert guarded.deregister("CP-001", existing=foreign).status_code == 401
    assert guarded.deregister("CP-999").status_code == 401
    assert guarded.deregister("CP-999", key=ADMIN_KEY).status_code == 404
    shown = guarded.request("GET", "/cp/CP-001", headers={"X-Registry-API-Key": ADMIN_KEY})
    assert shown.json()["status"] == "REGISTERED"


def test_credentials_and_tokens_die_at_once(api: Api) -> None:
    body = api.registered("CP-001")
    api.deregister("CP-001", existing=body["credentials"])

    right, wrong = (api.authenticate("CP-001", c) for c in (body["credentials"], "0" * 64))

    assert right.status_code == 403
    assert wrong.status_code == 401
    assert "deregistered" not in wrong.text
    assert api.deregister("CP-001", existing=body["credentials"]).status_code == 401
    assert api.register("CP-001", existing=body["credentials"]).status_code == 401


def test_the_admin_brings_it_back_with_its_history(guarded: Api) -> None:
    first = guarded.registered("CP-001", key=ADMIN_KEY)
    guarded.deregister("CP-001", key=ADMIN_KEY)

    again = guarded.registered("CP-001", key=ADMIN_KEY)

    assert guarded.authenticate("CP-001", first["credentials"]).status_code == 401
    assert guarded.authenticate("CP-001", again["credentials"]).status_code == 200
    record = guarded.loop.run(registrations.get(guarded.store.db, "CP-001"))
    assert record is not None
    assert record["token_version"] == 3
    assert [entry["event"] for entry in record["history"]] == [
        "registered",
        "deregistered",
        "registered again",
    ]


def test_an_admin_key_set_later_reaches_charge_points_of_before(
    make_api: Callable[..., Api],
) -> None:
    make_api().registered("CP-001")

    assert make_api(REGISTRY_ADMIN_API_KEY=ADMIN_KEY).deregister("CP-001").status_code == 401
    assert (
        make_api(REGISTRY_ADMIN_API_KEY=ADMIN_KEY).deregister("CP-001", key=ADMIN_KEY).status_code
        == 200
    )
