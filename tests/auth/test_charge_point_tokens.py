"""The charge point's token: what it says, and everything that must not pass for one."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest

from auth import charge_point_tokens
from auth.charge_point_tokens import LEEWAY_S, Claims, Secret, TokenRefused, issue
from domain.secrets import SecretUnusable

SECRET = "s" * 32
NOW = datetime.now(timezone.utc)


def a_token(**changes: Any) -> str:
    """A token that is right but for `changes` (None takes the claim away)."""
    claims = {
        "sub": "CP-001",
        "type": "cp",
        "iss": "ev-registry",
        "aud": "ev-central",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + timedelta(hours=1),
        "location": "Berlin",
        "token_version": 3,
        **changes,
    }
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, SECRET, "HS256")


def verify(secret: Secret, token: str, now: datetime | None = None) -> Claims:
    return charge_point_tokens.verify(secret, token, now or datetime.now(timezone.utc))


def reason_for(token: str, now: datetime | None = None) -> str:
    with pytest.raises(TokenRefused) as refusal:
        verify(SECRET, token, now)
    assert token[:20] not in str(refusal.value) or len(token) < 20
    return refusal.value.reason


def test_an_issued_token_says_who_where_and_until_when() -> None:
    token, expires_at = issue(
        SECRET,
        cp_id="CP-001",
        location="Berlin",
        token_version=3,
        lifetime=timedelta(hours=24),
        now=NOW,
    )

    claims = verify(SECRET, token)

    assert (claims.cp_id, claims.location, claims.token_version) == ("CP-001", "Berlin", 3)
    assert expires_at == (NOW + timedelta(hours=24)).replace(microsecond=0)
    assert claims.expires_at == expires_at.timestamp()
    assert jwt.decode(token, SECRET, ["HS256"], audience="ev-central") == {
        "sub": "CP-001",
        "type": "cp",
        "iss": "ev-registry",
        "aud": "ev-central",
        "iat": int(NOW.timestamp()),
        "nbf": int(NOW.timestamp()),
        "exp": int(expires_at.timestamp()),
        "location": "Berlin",
        "token_version": 3,
    }


def test_the_token_the_refusals_vary_is_itself_accepted() -> None:
    assert verify(SECRET, a_token()).cp_id == "CP-001"


def test_expiry_is_enforced_behind_a_small_leeway() -> None:
    now = datetime.now(timezone.utc)

    assert verify(SECRET, a_token(exp=now - timedelta(seconds=1))).cp_id == "CP-001"
    assert reason_for(a_token(exp=now - timedelta(seconds=30))) == "expired"


def test_a_signature_is_checked_once_and_expiry_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, checked = a_token(location="never shown before"), []
    decode = jwt.decode

    def counted(*given: Any, **more: Any) -> Any:
        checked.append(1)
        return decode(*given, **more)

    monkeypatch.setattr(jwt, "decode", counted)
    verified = [verify(SECRET, shown) for _ in range(3)]
    assert len(checked) == 1
    assert {claims.cp_id for claims in verified} == {"CP-001"}
    assert reason_for(shown + "x") == "invalid"
    with pytest.raises(TokenRefused, match="invalid"):
        verify("another-" * 8, shown)
    later = datetime.fromtimestamp(verified[0].expires_at + LEEWAY_S, timezone.utc)
    assert reason_for(shown, later) == "expired"


def test_a_token_from_the_future_is_refused() -> None:
    soon = datetime.now(timezone.utc) + timedelta(minutes=5)
    assert reason_for(a_token(nbf=soon)) == "not valid yet"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "somebody"}, "of another issuer"),
        ({"aud": "ocpi"}, "for another audience"),
        ({"type": "operator"}, "of another type"),
        ({"token_version": "3"}, "invalid"),
        ({"token_version": True}, "invalid"),
        ({"sub": ""}, "invalid"),
        ({"exp": "soon"}, "invalid"),
        ({"exp": float("inf")}, "invalid"),
    ],
)
def test_signed_but_wrong_claims_are_refused(changes: dict[str, Any], reason: str) -> None:
    assert reason_for(a_token(**changes)) == reason


@pytest.mark.parametrize(
    "claim", ["sub", "type", "iss", "aud", "iat", "nbf", "exp", "token_version"]
)
def test_no_claim_may_be_missing(claim: str) -> None:
    assert reason_for(a_token(**{claim: None})) == "invalid"


def test_a_signature_by_another_key_is_refused() -> None:
    claims = jwt.decode(a_token(), SECRET, ["HS256"], audience="ev-central")

    assert reason_for(jwt.encode(claims, "x" * 32, "HS256")) == "invalid"


def test_an_unsigned_token_is_refused() -> None:
    claims = jwt.decode(a_token(), SECRET, ["HS256"], audience="ev-central")

    assert reason_for(jwt.encode(claims, None, "none")) == "invalid"  # type: ignore[arg-type]


def test_another_algorithm_under_the_same_key_is_refused() -> None:
    claims = jwt.decode(a_token(), SECRET, ["HS256"], audience="ev-central")

    assert reason_for(jwt.encode(claims, SECRET * 2, "HS512")) == "invalid"


def test_a_changed_payload_is_refused() -> None:
    head, payload, signature = a_token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "CP-002"}).encode())

    assert reason_for(f"{head}.{forged.decode().rstrip('=')}.{signature}") == "invalid"


@pytest.mark.parametrize("rubbish", ["", "x", "a.b.c", "..", "é.ü.ß", "\x00", "a" * 10_000])
def test_rubbish_is_refused(rubbish: str) -> None:
    assert reason_for(rubbish) == "invalid"


@pytest.mark.parametrize("secret", ["", "short", "s" * 31])
def test_a_secret_below_32_bytes_neither_signs_nor_verifies(secret: str) -> None:
    with pytest.raises(SecretUnusable, match="REGISTRY_SECRET_KEY"):
        verify(secret, a_token())
    with pytest.raises(SecretUnusable, match="REGISTRY_SECRET_KEY"):
        issue(
            secret,
            cp_id="CP-001",
            location="Berlin",
            token_version=1,
            lifetime=timedelta(hours=1),
            now=NOW,
        )


def test_keys_change_while_tokens_are_out() -> None:
    old, new = "o" * 40, "n" * 40
    now = datetime.now(timezone.utc)
    made = {
        "cp_id": "CP-001",
        "location": "Berlin",
        "token_version": 1,
        "lifetime": timedelta(hours=1),
        "now": now,
    }
    under_old, under_new = issue(old, **made)[0], issue((new, old), **made)[0]  # type: ignore[arg-type]
    assert (
        jwt.get_unverified_header(under_old)["kid"] != jwt.get_unverified_header(under_new)["kid"]
    )
    assert old not in under_old and new not in under_new
    for token in (under_old, under_new):
        assert verify((new, old), token, now).cp_id == "CP-001"
    for secret, token in ((old, under_new), (new, under_old), (("x" * 40, "y" * 40), under_old)):
        with pytest.raises(TokenRefused, match="invalid"):
            verify(secret, token, now)
    late = issue(old, **{**made, "now": now - timedelta(hours=2)})[0]  # type: ignore[arg-type]
    for keys in ((new, old), (old, new)):
        with pytest.raises(TokenRefused, match="expired"):
            verify(keys, late, now)
