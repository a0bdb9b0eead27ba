"""Sealing, hashing, keeping: what must come back, and what must not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domain.secrets import SecretUnusable, Vault, kept_secret, new_token


def test_what_is_sealed_opens_with_the_same_key_only() -> None:
    sealed = Vault("a" * 32).seal("token-b")
    assert b"token-b" not in sealed
    assert Vault("a" * 32).open(sealed) == "token-b"
    with pytest.raises(SecretUnusable, match="CPO_ENCRYPTION_KEY is not the one"):
        Vault("b" * 32).open(sealed)


def test_a_digest_finds_the_token_again_under_its_key_only() -> None:
    assert Vault("a" * 32).digest("t") == Vault("a" * 32).digest("t")
    assert Vault("a" * 32).digest("t") != Vault("b" * 32).digest("t")
    assert Vault("a" * 32).digest("t") != Vault("a" * 32).digest("T")


def test_a_short_key_is_refused_without_being_shown() -> None:
    with pytest.raises(SecretUnusable) as refused:
        Vault("short-key")
    assert "short-key" not in str(refused.value)


def test_tokens_are_256_random_bits() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {64}


def test_a_kept_secret_stays_and_is_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    secret = kept_secret(path)
    assert kept_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
