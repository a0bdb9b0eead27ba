"""Whose a site is: nobody joins it, moves it or takes it off the market by registering."""

from __future__ import annotations

from domain.charge_points import operator_words
from tests.cpo_app.registry.conftest import Api


def reasons(api: Api, cp_id: str) -> list[str]:
    found: list[str] = api.get(f"/cp/{cp_id}").json()["ocpi"].get("reasons", [])
    return found


def test_a_stranger_is_held_back_and_the_site_stays_as_it_is(api: Api) -> None:
    api.registered("CP-002", metadata={"name": "Mall"})
    before = api.location("CP-002")

    metadata = {"site_id": "CP-002", "name": "Elsewhere", "coordinates": "10.0, 20.0"}
    evil = api.registered("EVIL-001", "Nowhere", metadata=metadata)
    api.registered("EVIL-002", "Nowhere", metadata={"site_id": "CP-002", "publish": "garbage"})

    assert api.location("CP-002") == before
    assert "another's" in reasons(api, "EVIL-001")[0]
    # Nor by registering again with its own credentials, or out of a site of its own.
    api.registered("EVIL-001", existing=evil["credentials"], metadata=metadata)
    own = api.registered("EVIL-003")
    api.registered("EVIL-003", existing=own["credentials"], metadata={"site_id": "cp-002"})
    assert api.location("CP-002") == before


def test_the_owner_lets_a_charge_point_in(api: Api) -> None:
    owner = api.registered("CP-002", metadata={"name": "Mall"})
    api.registered("CP-003", metadata={"site_id": "CP-002", "name": "Elsewhere"})

    api.registered(
        "CP-002",
        existing=owner["credentials"],
        metadata={"name": "Mall", "site_members": ["CP-003"]},
    )

    location = api.location("CP-002")
    assert location is not None
    assert location["name"] == "Mall"
    assert [evse["uid"] for evse in location["evses"]] == ["CP-002", "CP-003"]


def test_the_operator_lets_a_charge_point_in(api: Api) -> None:
    api.registered("CP-002")
    api.registered("CP-003", metadata={"site_id": "CP-002"})
    party = api.party

    api.loop.run(api.store.transact(lambda tx: operator_words.let_into_site(tx, "cp-003", party)))

    location = api.location("CP-002")
    assert location is not None
    assert len(location["evses"]) == 2
    assert reasons(api, "CP-003") == []
