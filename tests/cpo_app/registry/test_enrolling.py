"""An enrolment token lets one charge point register once, within a day, and nothing else."""

from __future__ import annotations

from domain.charge_points import enrolments
from tests.clock import Clock
from tests.cpo_app.registry.conftest import ADMIN_KEY, Api


def enrol(api: Api, cp_id: str) -> str:
    token, _ = api.loop.run(api.store.transact(lambda tx: enrolments.enrol(tx, cp_id)))
    return token


def test_it_is_good_for_one_id_and_once(guarded: Api) -> None:
    token = enrol(guarded, "CP-001")

    assert guarded.register("CP-002", key=token).status_code == 401
    first = guarded.register("cp-001", key=token)
    again = guarded.register("CP-001", key=token)

    assert first.status_code == 200, first.text
    assert again.status_code == 401
    assert guarded.authenticate("CP-001", first.json()["credentials"]).status_code == 200


def test_it_is_no_operators_key(guarded: Api) -> None:
    guarded.registered("CP-HONEST", key=ADMIN_KEY)
    token = enrol(guarded, "CP-001")

    assert guarded.register("CP-HONEST", key=token).status_code == 401
    assert guarded.deregister("CP-HONEST", key=token).status_code == 401
    assert guarded.get("/cp", **{"X-Registry-API-Key": token}).status_code == 401


def test_its_day_ends(guarded: Api, clock: Clock) -> None:
    token = enrol(guarded, "CP-001")
    clock.advance(24 * 3600 + 1)

    assert guarded.register("CP-001", key=token).status_code == 401


def test_a_newer_one_replaces_it_and_a_deregistration_takes_it_back(guarded: Api) -> None:
    old = enrol(guarded, "CP-001")
    new = enrol(guarded, "CP-001")
    assert guarded.register("CP-001", key=old).status_code == 401
    assert guarded.register("CP-001", key=new).status_code == 200

    unused = enrol(guarded, "CP-001")
    guarded.deregister("CP-001", key=ADMIN_KEY)

    assert guarded.register("CP-001", key=unused).status_code == 401


def test_the_operator_lets_a_new_box_stand_in_for_a_known_one(guarded: Api) -> None:
    first = guarded.registered("CP-001", key=ADMIN_KEY)

    renewed = guarded.register("CP-001", key=enrol(guarded, "CP-001"))

    assert renewed.status_code == 200
    assert guarded.authenticate("CP-001", first["credentials"]).status_code == 401


def test_it_is_stored_as_a_hash_alone(guarded: Api) -> None:
    token = enrol(guarded, "CP-001")

    kept = guarded.loop.run(enrolments.ENROLMENTS.of(guarded.store.db).find({}))

    assert token not in repr(kept) and token.removeprefix("enrol-") not in repr(kept)
