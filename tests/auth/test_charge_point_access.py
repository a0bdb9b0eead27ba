"""Who is let in to EV_Central, on a real store."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest

from auth.charge_point_access import NOT_REGISTERED, Admission, ChargePointRefused
from auth.charge_point_tokens import issue
from db_interface.database import Database
from domain.secrets import SecretUnusable
from tests.conftest import Loop

SECRET = "s" * 40
NOW = datetime.now(timezone.utc)


@pytest.fixture
def registered(db: Database, loop: Loop) -> Database:
    """CP-001 and CP-002 stand in version 2; CP-OLD is deregistered."""
    rows: list[dict[str, Any]] = [
        {"_id": cp_id, "folded_id": cp_id.lower(), "status": status, "token_version": 2}
        for cp_id, status in (
            ("CP-001", "REGISTERED"),
            ("CP-002", "REGISTERED"),
            ("CP-OLD", "DEREGISTERED"),
        )
    ]

    async def write() -> None:
        await db["registrations"].insert_many(rows)

    loop.run(write())
    return db


def token(
    cp_id: str, *, version: int = 2, secret: str = SECRET, now: datetime = NOW, hours: int = 1
) -> str:
    return issue(
        secret,
        cp_id=cp_id,
        location="Berlin",
        token_version=version,
        lifetime=timedelta(hours=hours),
        now=now,
    )[0]


def door(db: Database, secret: str = SECRET, *, unregistered: bool = False) -> Admission:
    return Admission(db, secret, unregistered=unregistered, gather_s=0)


def refusal(
    loop: Loop, db: Database, shown: str | None, cp_id: str, *, required: bool = True
) -> tuple[int, str] | None:
    try:
        loop.run(door(db).admit(shown, cp_id, required=required))
    except ChargePointRefused as refused:
        return refused.http_status, refused.message
    return None


def test_its_own_token_lets_a_charge_point_in_in_any_case_of_its_id(
    registered: Database, loop: Loop
) -> None:
    assert refusal(loop, registered, token("CP-001"), "CP-001") is None
    assert refusal(loop, registered, token("CP-001"), "cp-001") is None


@pytest.mark.parametrize("cp_id", ["CP-OLD", "CP-404"])
@pytest.mark.parametrize("required", [True, False])
def test_an_unregistered_one_gets_403_whatever_it_shows(
    registered: Database, loop: Loop, cp_id: str, required: bool
) -> None:
    for shown in (None, "rubbish", token(cp_id)):
        assert refusal(loop, registered, shown, cp_id, required=required) == (403, NOT_REGISTERED)


def _unsigned() -> str:
    claims = jwt.decode(token("CP-001"), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none")


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "rubbish",
        token("CP-001", secret="f" * 40),
        token("CP-001", now=NOW - timedelta(hours=3)),
        token("CP-001", version=1),
        token("CP-001", version=3),
        _unsigned(),
    ],
    ids=["empty", "rubbish", "forged", "expired", "outdated", "of the future", "unsigned"],
)
@pytest.mark.parametrize("required", [True, False])
def test_a_wrong_token_gets_401_required_or_not(
    registered: Database, loop: Loop, shown: str, required: bool
) -> None:
    refused = refusal(loop, registered, shown, "CP-001", required=required)
    assert refused is not None and refused[0] == 401
    assert not shown or shown not in refused[1]


def test_another_charge_points_token_gets_403(registered: Database, loop: Loop) -> None:
    refused = refusal(loop, registered, token("CP-002"), "CP-001")
    assert refused == (403, "the token is another charge point's")


def test_a_missing_token_gets_401_only_where_one_is_required(
    registered: Database, loop: Loop
) -> None:
    refused = refusal(loop, registered, None, "CP-001")
    assert refused == (401, "the charge point's token is missing")
    assert refusal(loop, registered, None, "CP-001", required=False) is None


def test_new_credentials_outdate_the_token_at_once(registered: Database, loop: Loop) -> None:
    shown = token("CP-001")
    assert refusal(loop, registered, shown, "CP-001") is None

    async def rotate() -> None:
        await registered["registrations"].update_one(
            {"_id": "CP-001"}, {"$inc": {"token_version": 1}}
        )

    loop.run(rotate())
    refused = refusal(loop, registered, shown, "CP-001")
    assert refused is not None and refused[0] == 401


@pytest.mark.parametrize("at_leisure", [False, True])
def test_a_deregistration_counts_from_the_next_request_on(
    registered: Database, loop: Loop, at_leisure: bool
) -> None:
    """Whichever process made it, and however many asked just before."""
    standing, shown = door(registered), token("CP-001")

    async def story() -> None:
        asked = (
            standing.admit(shown, "cp-001", required=True, at_leisure=at_leisure) for _ in range(20)
        )
        await asyncio.gather(*asked)
        await registered["registrations"].update_one(
            {"_id": "CP-001"}, {"$set": {"status": "DEREGISTERED"}}
        )
        with pytest.raises(ChargePointRefused, match=NOT_REGISTERED):
            await standing.admit(shown, "CP-001", required=True, at_leisure=at_leisure)

    loop.run(story())


def test_without_a_usable_secret_nobody_is_let_in(registered: Database, loop: Loop) -> None:
    with pytest.raises(SecretUnusable):
        loop.run(door(registered, "").admit(token("CP-001"), "CP-001", required=True))


def test_a_rollout_may_begin_with_charge_points_that_the_registry_does_not_know(
    registered: Database, loop: Loop
) -> None:
    open_door = door(registered, unregistered=True)

    def let_in(shown: str | None, cp_id: str, *, required: bool = False) -> bool:
        try:
            loop.run(open_door.admit(shown, cp_id, required=required))
        except ChargePointRefused:
            return False
        return True

    assert let_in(None, "CP-404")
    assert not let_in(None, "CP-404", required=True)
    assert not let_in(token("CP-404"), "CP-404")
    assert not let_in(None, "CP-OLD"), "deregistered is the operator's word"
