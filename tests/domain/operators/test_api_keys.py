"""API keys: shown once, kept as a hash, and good until they end or are removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.operators import api_keys
from domain.operators.actor import Role
from domain.operators.api_keys import API_KEYS, KeyRefused, NoSuchKey
from tests.clock import Clock
from tests.conftest import Loop


def test_a_key_is_good_until_it_ends_and_only_its_hash_is_kept(db: Database, loop: Loop) -> None:
    clock = db.clock = Clock()
    key = loop.run(
        DbInterface(db).transact(
            lambda tx: api_keys.add(tx, "ci", Role.OPERATOR, lifetime=timedelta(days=90))
        )
    )
    found = loop.run(api_keys.of(db, key))
    assert found is not None
    assert (found["name"], found["role"], found["_id"]) == ("ci", "operator", key[4:12])
    assert key not in str(loop.run(API_KEYS.of(db).find({})))
    clock.advance(timedelta(days=90).total_seconds() - 1)
    assert loop.run(api_keys.of(db, key)) is not None
    clock.advance(1)
    assert loop.run(api_keys.of(db, key)) is None


def test_what_is_no_key_is_none(db: Database, loop: Loop) -> None:
    store = DbInterface(db)
    key = loop.run(store.transact(lambda tx: api_keys.add(tx, "ci", Role.VIEWER)))
    other = "A" if key[-1] != "A" else "B"
    for shown in ("", "cpo_", key[:-1], key[:-1] + other, "cpo_00000000" + key[12:], key + "\n"):
        assert loop.run(api_keys.of(db, shown)) is None
    loop.run(store.transact(lambda tx: api_keys.remove(tx, "ci")))
    assert loop.run(api_keys.of(db, key)) is None


def test_a_key_that_cannot_be_made_says_why(db: Database, loop: Loop) -> None:
    store = DbInterface(db)
    loop.run(store.transact(lambda tx: api_keys.add(tx, "ci", Role.VIEWER)))

    def add(name: str, *scopes: str) -> None:
        loop.run(
            store.transact(lambda tx: api_keys.add(tx, name, Role.VIEWER, scopes=scopes)),
        )

    with pytest.raises(KeyRefused, match="already"):
        add("ci")
    with pytest.raises(KeyRefused, match="letters"):
        add("a b")
    with pytest.raises(KeyRefused, match="no scope everything"):
        add("x", "everything")
    with pytest.raises(NoSuchKey, match="no key nemo"):
        loop.run(store.transact(lambda tx: api_keys.remove(tx, "nemo")))
