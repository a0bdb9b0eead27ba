"""What a registration record says after each operation; on a mock, which has no transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import pytest
from mongomock_motor import AsyncMongoMockClient

from cpo_app.settings import Party
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.order_of_creation import first_place
from domain.audit.listing import listed
from domain.charge_points import operator_words, registrations
from domain.charge_points.registrations import (
    HISTORY_LENGTH,
    Application,
    IsDeregistered,
    NotEntitled,
    NotRegistered,
    Proof,
)
from domain.places import geonames
from tests.clock import Clock

T = TypeVar("T")
PARTY = Party("DE", "ABC", "Example Charging")
NOW = datetime(2025, 3, 1, 12, 0, tzinfo=timezone.utc)
OLD, NEW = "a" * 64, "b" * 64


@pytest.fixture
def store() -> DbInterface:
    client = AsyncMongoMockClient(tz_aware=True)  # type: ignore[var-annotated]
    return DbInterface(Database(client, transactions=False, clock=Clock(NOW)))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def register(
    store: DbInterface,
    cp_id: str = "CP-001",
    *,
    proof: Proof = Proof(),
    open_to_new: bool = True,
    credentials_hash: str = OLD,
    now: datetime = NOW,
    **more: Any,
) -> registrations.Registration:
    store.db.clock = Clock(now)
    return run(
        registrations.register(
            store,
            Application(cp_id, "Berlin", **more),
            proof=proof,
            open_to_new=open_to_new,
            credentials_hash=credentials_hash,
            party=PARTY,
        )
    )


def test_the_gazetteer_is_there_before_the_transaction_in_which_it_is_asked(
    store: DbInterface, monkeypatch: pytest.MonkeyPatch
) -> None:
    geonames.cities.cache_clear()
    loaded: list[int] = []
    transact = store.transact_jointly

    async def after(work: Any, key: str) -> Any:
        loaded.append(geonames.cities.cache_info().currsize)
        return await transact(work, key)

    monkeypatch.setattr(store, "transact_jointly", after)
    register(store)
    assert loaded == [1]


def test_a_new_record(store: DbInterface) -> None:
    done = register(store, metadata={"site_id": "Hub"})

    record = run(registrations.get(store.db, "cp-001"))
    assert done.is_new
    assert record is not None
    assert record.pop("ocpi")["offered"] is True  # type: ignore[index]
    assert record == {
        "_id": "CP-001",
        "folded_id": "cp-001",
        "location": "Berlin",
        "metadata": {"site_id": "Hub"},
        "status": "REGISTERED",
        "credentials_hash": OLD,
        "token_version": 1,
        "party": None,
        "site_id": "hub",
        "site_waiting": False,
        "site_guest": False,
        "by_operator": False,
        "registered_seq": first_place(NOW),
        "registration_date": NOW,
        "updated_at": NOW,
        "last_authenticated": NOW,
        "certificate_pem": None,
        "certificate_fingerprint": None,
        "asked_with": None,
        "history": [{"at": NOW, "event": "registered", "by": "anyone"}],
    }


def test_registering_again_keeps_who_it_was(store: DbInterface) -> None:
    register(store, metadata={"site_id": "Hub"}, certificate_pem="PEM")
    later = NOW + timedelta(days=1)

    done = register(
        store, "cp-001", proof=Proof(digests=(NEW, OLD)), credentials_hash=NEW, now=later
    )

    record = run(registrations.get(store.db, "CP-001"))
    assert record is not None
    assert not done.is_new
    assert (record["_id"], record["token_version"]) == ("CP-001", 2)
    assert record["registered_seq"] == first_place(NOW)
    assert (record["registration_date"], record["updated_at"]) == (NOW, later)
    assert (record["metadata"], record["certificate_pem"]) == ({"site_id": "Hub"}, "PEM")
    assert record["credentials_hash"] == NEW
    assert record["history"][1] == {"at": later, "event": "registered again", "by": "charge point"}


@pytest.mark.parametrize("proof", [Proof(), Proof(digests=(NEW,)), Proof(enrolment=NEW)])
def test_without_the_right_proof_a_known_id_stays_as_it_is(
    store: DbInterface, proof: Proof
) -> None:
    register(store)
    before = run(registrations.get(store.db, "CP-001"))

    with pytest.raises(NotEntitled):
        register(store, proof=proof, credentials_hash=NEW)

    assert run(registrations.get(store.db, "CP-001")) == before


def test_closed_to_newcomers_only_the_admin_brings_one(store: DbInterface) -> None:
    with pytest.raises(NotEntitled):
        register(store, open_to_new=False, proof=Proof(digests=(OLD,)))

    assert register(store, open_to_new=False, proof=Proof(admin=True)).is_new


def test_authenticating_renews_a_hash_under_an_older_key(store: DbInterface) -> None:
    register(store, credentials_hash=OLD)

    record = run(registrations.authenticate(store.db, "cp-001", (NEW, OLD)))

    assert (record["credentials_hash"], record["last_authenticated"]) == (NEW, NOW)
    run(registrations.authenticate(store.db, "CP-001", (NEW,)))
    with pytest.raises(NotEntitled):
        run(registrations.authenticate(store.db, "CP-001", (OLD,)))


def test_authenticating_as_somebody_unknown_or_with_the_dummy_hash(store: DbInterface) -> None:
    register(store)

    for cp_id, digest in (("CP-999", OLD), ("CP-999", "0" * 64), ("CP-001", NEW)):
        with pytest.raises(NotEntitled):
            run(registrations.authenticate(store.db, cp_id, (digest,)))


def test_deregistering_outdates_the_token_and_keeps_the_hash(store: DbInterface) -> None:
    register(store)

    run(registrations.deregister(store, "cp-001", proof=Proof(digests=(OLD,)), party=PARTY))

    record = run(registrations.get(store.db, "CP-001"))
    assert record is not None
    assert (record["status"], record["token_version"]) == ("DEREGISTERED", 2)
    with pytest.raises(IsDeregistered):
        run(registrations.authenticate(store.db, "CP-001", (OLD,)))
    with pytest.raises(NotEntitled):
        run(registrations.authenticate(store.db, "CP-001", (NEW,)))
    with pytest.raises(NotEntitled):
        register(store, proof=Proof(digests=(OLD,)))


def test_who_has_deregistered_it_is_in_the_audit_log(store: DbInterface) -> None:
    for proof, who in (
        (Proof(digests=(OLD,)), ("charge point", "CP-001")),
        (Proof(admin=True), ("key", "EV_Registry's admin key")),
    ):
        register(store, proof=Proof(admin=True))
        run(registrations.deregister(store, "CP-001", proof=proof, party=PARTY))
        row = run(listed(store.db, about="cp-001", limit=1))[0][0]
        assert (row["by"]["kind"], row["by"]["name"]) == who
        assert row["after"] == {"status": "DEREGISTERED"}


@pytest.mark.parametrize("proof", [Proof(), Proof(digests=(NEW,)), Proof(enrolment=OLD)])
def test_deregistering_with_wrong_credentials_or_none(store: DbInterface, proof: Proof) -> None:
    register(store)

    with pytest.raises(NotEntitled):
        run(registrations.deregister(store, "CP-001", proof=proof, party=PARTY))


def test_the_operator_undoes_a_deregistration(store: DbInterface) -> None:
    register(store)
    run(registrations.deregister(store, "CP-001", proof=Proof(digests=(OLD,)), party=PARTY))

    run(store.transact(lambda tx: operator_words.restore(tx, "cp-001", PARTY)))

    record = run(registrations.authenticate(store.db, "CP-001", (OLD,)))
    assert (record["status"], record["token_version"]) == ("REGISTERED", 3)
    assert [entry["event"] for entry in record["history"]] == [
        "registered",
        "deregistered",
        "restored",
    ]
    with pytest.raises(NotRegistered):
        run(store.transact(lambda tx: operator_words.restore(tx, "CP-404", PARTY)))


def test_where_the_engine_listens_takes_no_metadata_away(store: DbInterface) -> None:
    register(store, metadata={"city": "Berlin"})

    done = register(store, proof=Proof(admin=True), metadata={"cp_e_host": "e1", "cp_e_port": 8001})

    assert done.record["metadata"] == {"city": "Berlin", "cp_e_host": "e1", "cp_e_port": 8001}


def test_deregistering_one_that_is_not_there(store: DbInterface) -> None:
    with pytest.raises(NotRegistered):
        run(registrations.deregister(store, "CP-001", proof=Proof(admin=True), party=PARTY))


def test_the_history_is_bounded_and_keeps_the_latest(store: DbInterface) -> None:
    for minute in range(HISTORY_LENGTH + 5):
        register(store, proof=Proof(admin=True), now=NOW + timedelta(minutes=minute))

    record = run(registrations.get(store.db, "CP-001"))
    assert record is not None
    assert len(record["history"]) == HISTORY_LENGTH
    assert record["history"][-1]["at"] == NOW + timedelta(minutes=HISTORY_LENGTH + 4)


def test_a_page_leaves_the_history_out(store: DbInterface) -> None:
    for number in range(3):
        register(store, f"CP-{number:03}")

    page = run(registrations.page(store.db, limit=2, offset=1))

    assert [record["_id"] for record in page.records] == ["CP-001", "CP-002"]
    assert page.total == 3
    assert "history" not in page.records[0]
