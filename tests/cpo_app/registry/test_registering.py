"""POST /cp/register and /cp/authenticate: who gets in, with what, and what that outdates."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from auth import charge_point_tokens
from domain.charge_points import registration_records, registrations
from domain.schemas import parse_datetime
from domain.secrets import Vault
from domain.times import utc_now
from tests.clock import Clock
from tests.cpo_app.registry.conftest import ADMIN_KEY, SECRET, Api


def test_a_new_charge_point_gets_its_credentials_and_a_token(api: Api, clock: Clock) -> None:
    answer = api.register("CP-001", "Berlin")

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(body) == {
        *("cp_id", "location", "status", "credentials", "token", "token_expires_at"),
        *("registration_date", "message"),
    }
    assert (body["cp_id"], body["location"], body["status"]) == ("CP-001", "Berlin", "REGISTERED")
    assert re.fullmatch(r"[0-9a-f]{64}", body["credentials"])
    assert abs((parse_datetime(body["registration_date"]) - clock.at).total_seconds()) < 0.01
    claims = charge_point_tokens.verify(SECRET, body["token"], utc_now())
    assert (claims.cp_id, claims.location, claims.token_version) == ("CP-001", "Berlin", 1)
    assert claims.expires_at - claims.issued_at == 24 * 3600
    assert parse_datetime(body["token_expires_at"]).timestamp() == claims.expires_at


def test_the_token_lives_as_long_as_is_set(make_api: Callable[..., Api]) -> None:
    api = make_api(REGISTRY_TOKEN_EXPIRATION_HOURS=0.5)

    claims = charge_point_tokens.verify(SECRET, api.registered("CP-001")["token"], utc_now())

    assert claims.expires_at - claims.issued_at == 1800


def test_credentials_are_exchanged_for_a_token(api: Api, clock: Clock) -> None:
    credentials = api.registered("CP-001")["credentials"]
    clock.advance(2)

    answer = api.authenticate("CP-001", credentials)

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(body) == {
        *("cp_id", "location", "status", "token", "token_expires_at"),
        *("last_authenticated", "message"),
    }
    assert charge_point_tokens.verify(SECRET, body["token"], utc_now()).token_version == 1
    assert api.get("/cp/CP-001").json()["last_authenticated"] == body["last_authenticated"]
    assert abs((parse_datetime(body["last_authenticated"]) - clock.at).total_seconds()) < 0.01


def test_a_wrong_secret_and_an_unknown_id_are_answered_alike(api: Api) -> None:
    api.registered("CP-001")

    wrong = api.authenticate("CP-001", "0" * 64)
    unknown = api.authenticate("CP-999", "0" * 64)

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["error"] == unknown.json()["error"]
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_for_an_unknown_id_the_secret_is_hashed_and_compared_all_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.registered("CP-001")
    steps: list[str] = []

    def noting(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def note(*arguments: Any) -> Any:
            steps.append(name)
            return original(*arguments)

        return note

    monkeypatch.setattr(Vault, "digest", noting("hash", Vault.digest))
    monkeypatch.setattr(
        registration_records,
        "hmac",
        SimpleNamespace(compare_digest=noting("compare", hmac.compare_digest)),
    )

    api.authenticate("CP-001", "0" * 64)
    for_known = list(steps)
    steps.clear()
    api.authenticate("CP-999", "0" * 64)

    assert for_known == steps == ["hash", "compare"]


def test_registering_again_needs_proof(api: Api) -> None:
    api.registered("CP-001")

    assert api.register("CP-001").status_code == 401
    assert api.register("CP-001", existing="0" * 64).status_code == 401
    assert api.register("CP-001", key="anything").status_code == 401


def test_registering_again_rotates_credentials_and_outdates_tokens(api: Api, clock: Clock) -> None:
    first = api.registered("CP-001", "Berlin")
    clock.advance(2)

    second = api.registered("CP-001", "Madrid", existing=first["credentials"])

    assert second["credentials"] != first["credentials"]
    assert second["registration_date"] == first["registration_date"]
    assert charge_point_tokens.verify(SECRET, second["token"], utc_now()).token_version == 2
    assert api.authenticate("CP-001", first["credentials"]).status_code == 401
    assert api.authenticate("CP-001", second["credentials"]).status_code == 200
    assert api.deregister("CP-001", token=first["token"]).status_code == 401
    assert api.get("/cp/CP-001").json()["location"] == "Madrid"


def test_what_registering_again_does_not_say_is_kept(api: Api) -> None:
    first = api.registered("CP-001", metadata={"power_rating": "22kW"})

    second = api.registered("CP-001", existing=first["credentials"])
    kept = api.get("/cp/CP-001").json()["metadata"]
    api.registered("CP-001", existing=second["credentials"], metadata={})

    assert kept == {"power_rating": "22kW"}
    assert api.get("/cp/CP-001").json()["metadata"] == {}


def test_ids_are_one_whatever_their_case_and_keep_the_first_spelling(api: Api) -> None:
    first = api.registered("CP-001")

    assert api.register("cp-001").status_code == 401
    again = api.registered("cp-001", existing=first["credentials"])

    assert again["cp_id"] == "CP-001"
    assert api.authenticate("Cp-001", again["credentials"]).status_code == 200
    assert api.get("/cp").json()["total"] == 1


def test_with_an_admin_key_set_newcomers_need_it(guarded: Api) -> None:
    assert guarded.register("CP-001").status_code == 401
    assert guarded.register("CP-001", key="wrong").status_code == 401
    assert guarded.register("CP-001", key=ADMIN_KEY.upper()).status_code == 401
    assert guarded.get("/cp", **{"X-Registry-API-Key": ADMIN_KEY}).json()["total"] == 0

    first = guarded.registered("CP-001", key=ADMIN_KEY)

    assert guarded.register("CP-001").status_code == 401
    second = guarded.registered("CP-001", existing=first["credentials"])
    third = guarded.registered("CP-001", key=ADMIN_KEY)
    assert len({first["credentials"], second["credentials"], third["credentials"]}) == 3


def test_of_many_first_registrations_at_once_one_wins(api: Api) -> None:
    async def all_at_once() -> list[int]:
        answers = await asyncio.gather(
            *(
                api.client.post("/cp/register", json={"cp_id": cp_id, "location": "Berlin"})
                for cp_id in ["CP-001", "cp-001"] * 5
            )
        )
        return [answer.status_code for answer in answers]

    codes = api.loop.run(all_at_once())

    assert sorted(codes) == [200] + [401] * 9
    assert api.get("/cp").json()["total"] == 1


def test_different_charge_points_register_at_once(guarded: Api) -> None:
    api = guarded

    async def all_at_once() -> list[int]:
        answers = await asyncio.gather(
            *(
                api.client.post(
                    "/cp/register",
                    json={
                        "cp_id": f"CP-{number:03}",
                        "location": "Berlin",
                        "metadata": {"site_id": "HUB", "power_rating": "22kW"},
                    },
                    headers={"X-Registry-API-Key": ADMIN_KEY},
                )
                for number in range(12)
            )
        )
        return [answer.status_code for answer in answers]

    assert api.loop.run(all_at_once()) == [200] * 12

    location = api.location("HUB")
    assert location is not None
    assert {evse["uid"] for evse in location["evses"]} == {f"CP-{n:03}" for n in range(12)}


def test_setting_an_encryption_key_later_locks_nobody_out(make_api: Callable[..., Api]) -> None:
    credentials = make_api().registered("CP-001")["credentials"]
    with_key = make_api(CPO_ENCRYPTION_KEY="e" * 32)

    assert with_key.authenticate("CP-001", credentials).status_code == 200
    # From here on the signing key may change, too.
    rotated = make_api(CPO_ENCRYPTION_KEY="e" * 32, REGISTRY_SECRET_KEY="n" * 32)
    assert rotated.authenticate("CP-001", credentials).status_code == 200


def test_the_log_tells_of_registrations_and_holds_no_secret(
    guarded: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        first = guarded.registered("CP-001", "Berlin", key=ADMIN_KEY)
        second = guarded.registered("CP-001", "Berlin", existing=first["credentials"])
        token = guarded.authenticate("CP-001", second["credentials"]).json()["token"]
        guarded.authenticate("CP-001", first["credentials"])
        guarded.deregister("CP-001", token=first["token"])
        guarded.deregister("CP-001", token=token)

    lines = [record.getMessage() for record in caplog.records]
    assert "CP registered: CP-001 at Berlin (new=True, cert=False)" in lines
    assert "CP registered: CP-001 at Berlin (new=False, cert=False)" in lines
    for issued in (first, second):
        assert issued["credentials"] not in caplog.text
        assert issued["token"] not in caplog.text
    assert token not in caplog.text
    assert ADMIN_KEY not in caplog.text


def test_no_plain_credentials_are_stored(api: Api) -> None:
    body = api.registered("CP-001")

    stored = str(api.loop.run(registrations.get(api.store.db, "CP-001")))

    assert body["credentials"] not in stored
    assert body["token"] not in stored
