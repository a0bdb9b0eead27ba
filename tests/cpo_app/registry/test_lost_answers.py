"""A registration whose answer was lost is answered again to who asked for it, to nobody else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from db_interface.transaction import Tx
from domain.charge_points import charge_points
from domain.charge_points.charge_point_events import Registered
from domain.charge_points.registration_records import REPEATABLE_FOR
from domain.secrets import new_token
from tests.clock import Clock
from tests.cpo_app.registry.conftest import ADMIN_KEY, Api
from tests.cpo_app.registry.test_enrolling import enrol

KEY, OTHER = new_token(), new_token()


def ask(api: Api, cp_id: str = "CP-001", key: str = KEY, **headers: str) -> httpx.Response:
    """A registration with that idempotency key."""
    return api.request(
        "POST",
        "/cp/register",
        json={"cp_id": cp_id, "location": "Berlin"},
        headers={"Idempotency-Key": key, **headers},
    )


def enrolled(api: Api) -> dict[str, Any]:
    """CP-001 has registered with its enrolment token, and never got this answer."""
    answer = ask(api, **{"X-Registry-API-Key": enrol(api, "CP-001")})
    assert answer.status_code == 200, answer.text
    return answer.json()


def arrive(api: Api) -> None:
    """EV_Central lets the charge point in."""
    event = Registered("engine.example", 8001, b"sealed", 2, 5)

    async def work(tx: Tx) -> None:
        await charge_points.apply(tx, api.party, "CP-001", event)

    api.loop.run(api.store.transact(work))


def test_the_same_key_is_answered_with_new_credentials(guarded: Api) -> None:
    lost = enrolled(guarded)
    again = ask(guarded)
    assert again.status_code == 200, again.text
    assert again.json()["credentials"] != lost["credentials"]
    # Lost as well: once more. The enrolment token, used up, may stand there all the time.
    third = ask(guarded, **{"X-Registry-API-Key": "enrol-" + "0" * 64})
    assert third.status_code == 200
    assert guarded.authenticate("CP-001", lost["credentials"]).status_code == 401
    assert guarded.authenticate("CP-001", again.json()["credentials"]).status_code == 401
    assert guarded.authenticate("CP-001", third.json()["credentials"]).status_code == 200
    assert ask(guarded).status_code == 401, "used: nobody needs another answer"


def test_nobody_else_takes_it_over(guarded: Api) -> None:
    lost = enrolled(guarded)
    assert ask(guarded, key=OTHER).status_code == 401
    assert ask(guarded, cp_id="CP-002").status_code == 401, "it is for that charge point alone"
    assert guarded.register("CP-001").status_code == 401
    assert guarded.authenticate("CP-001", lost["credentials"]).status_code == 200


def test_it_is_over_once_central_has_let_the_charge_point_in(guarded: Api, clock: Clock) -> None:
    lost = enrolled(guarded)
    clock.advance(1)
    arrive(guarded)
    assert ask(guarded).status_code == 401
    assert guarded.authenticate("CP-001", lost["credentials"]).status_code == 200


def test_it_is_over_after_a_day_and_is_not_prolonged_by_asking(guarded: Api, clock: Clock) -> None:
    enrolled(guarded)
    clock.advance(REPEATABLE_FOR.total_seconds() - 1)
    assert ask(guarded).status_code == 200
    clock.advance(2)
    assert ask(guarded).status_code == 401


def test_it_is_over_with_a_deregistration(guarded: Api) -> None:
    enrolled(guarded)
    assert guarded.deregister("CP-001", key=ADMIN_KEY).status_code == 200
    assert ask(guarded).status_code == 401


def test_a_later_registration_ends_it_and_has_a_key_of_its_own(api: Api) -> None:
    first = ask(api).json()
    assert api.authenticate("CP-001", first["credentials"]).status_code == 200
    renewed = ask(api, key=OTHER, **{"X-Existing-Credentials": first["credentials"]})
    assert renewed.status_code == 200
    stale = {"X-Existing-Credentials": first["credentials"]}
    assert ask(api, key=KEY, **stale).status_code == 401
    last = ask(api, key=OTHER, **stale)
    assert api.authenticate("CP-001", last.json()["credentials"]).status_code == 200


@pytest.mark.parametrize("key", ["short", "x" * 129])
def test_a_key_that_could_be_guessed_is_refused(api: Api, key: str) -> None:
    answer = ask(api, key=key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


def test_it_is_stored_as_a_keyed_hash_alone(guarded: Api) -> None:
    enrolled(guarded)

    async def read() -> list[dict[str, Any]]:
        return await guarded.store.db["registrations"].find({}).to_list(None)

    kept = guarded.loop.run(read())
    assert KEY not in repr(kept)
    assert kept[0]["asked_with"]["key_hash"]
    assert "asked_with" not in guarded.get("/cp/CP-001", **{"X-Registry-API-Key": ADMIN_KEY}).text
