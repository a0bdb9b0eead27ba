"""Several parties of ours: the registration says whose charge point it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.objects.locations import location_with_evse
from tests.cpo_app.registry.conftest import ADMIN_KEY, Api

EVC = {"party": "NL/EVC"}
TWO = "DE/CPO=First, NL/EVC=Second"


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api(CPO_PARTIES=TWO)


@pytest.fixture
def guarded(make_api: Callable[..., Api]) -> Api:
    return make_api(CPO_PARTIES=TWO, REGISTRY_ADMIN_API_KEY=ADMIN_KEY)


def located(api: Api, party: str, site_id: str) -> dict[str, Any] | None:
    key = f"{party}/{site_id}".lower()
    found: dict[str, Any] | None = api.loop.run(api.store.get("locations", key))
    return found


def stands_at(api: Api) -> str:
    """Whose location it is that a card at CP-001 charges at."""
    found = api.loop.run(location_with_evse(api.store.db, "CP-001"))
    assert found is not None
    party: str = found["party_id"]
    return party


def evse(api: Api, party: str, site_id: str) -> tuple[str, str]:
    location = located(api, party, site_id)
    assert location is not None
    [only] = location["evses"]
    return only["evse_id"], only["status"]


def test_the_one_that_is_named_else_the_first(api: Api) -> None:
    api.registered("CP-001")
    api.registered("CP-002", metadata=EVC)
    api.registered("CP-003", metadata={"party": "de/cpo"})

    assert evse(api, "DE/CPO", "CP-001")[0] == "DE*CPO*ECP*001"
    assert evse(api, "NL/EVC", "CP-002")[0] == "NL*EVC*ECP*002"
    assert evse(api, "DE/CPO", "CP-003")[0] == "DE*CPO*ECP*003"
    second = located(api, "NL/EVC", "CP-002")
    assert second is not None
    assert second["operator"] == {"name": "Second"}
    assert api.get("/cp/CP-002").json()["party"] == "NL/EVC"
    assert "party" not in api.get("/cp/CP-001").json()


@pytest.mark.parametrize("party", ["NL/XXX", "", "NL", 7, ["NL/EVC"], {"country_code": "NL"}])
def test_one_that_is_not_ours_is_refused_by_name(api: Api, party: object) -> None:
    answer = api.register("CP-001", metadata={"party": party})

    assert answer.status_code == 400
    assert answer.json()["detail"] == (
        "metadata.party: not a party of this platform (DE/CPO, NL/EVC)"
    )
    assert api.get("/cp/CP-001").status_code == 404


def test_two_parties_have_sites_of_the_same_id(api: Api) -> None:
    api.registered("CP-001", metadata={"site_id": "MALL"})
    api.registered("CP-002", metadata={"site_id": "MALL", **EVC})

    assert evse(api, "DE/CPO", "MALL")[0] == "DE*CPO*ECP*001"
    assert evse(api, "NL/EVC", "MALL")[0] == "NL*EVC*ECP*002"


def test_whoever_does_not_name_it_again_leaves_it(api: Api) -> None:
    first = api.registered("CP-001", metadata=EVC)

    api.registered("CP-001", existing=first["credentials"], metadata={"name": "Mall"})

    location = located(api, "NL/EVC", "CP-001")
    assert location is not None
    assert location["name"] == "Mall"
    assert located(api, "DE/CPO", "CP-001") is None


def test_a_charge_point_does_not_change_its_party_itself(api: Api) -> None:
    first = api.registered("CP-001")

    answer = api.register("CP-001", existing=first["credentials"], metadata=EVC)

    assert answer.status_code == 403
    assert "metadata.party" in answer.json()["detail"]
    assert evse(api, "DE/CPO", "CP-001") == ("DE*CPO*ECP*001", "UNKNOWN")
    assert located(api, "NL/EVC", "CP-001") is None
    # It has lost nothing by asking.
    assert api.authenticate("CP-001", first["credentials"]).status_code == 200


def test_the_operator_changes_it_and_the_evse_is_removed_at_the_old_party(guarded: Api) -> None:
    guarded.registered("CP-001", key=ADMIN_KEY)

    guarded.registered("CP-001", key=ADMIN_KEY, metadata=EVC)

    assert evse(guarded, "DE/CPO", "CP-001")[1] == "REMOVED"
    assert evse(guarded, "NL/EVC", "CP-001") == ("NL*EVC*ECP*001", "UNKNOWN")
    assert stands_at(guarded) == "EVC"

    guarded.registered("CP-001", key=ADMIN_KEY, metadata={"party": "DE/CPO"})

    assert evse(guarded, "NL/EVC", "CP-001")[1] == "REMOVED"
    assert evse(guarded, "DE/CPO", "CP-001") == ("DE*CPO*ECP*001", "UNKNOWN")
    assert stands_at(guarded) == "CPO"


def test_deregistered_it_is_removed_at_its_party(guarded: Api) -> None:
    guarded.registered("CP-001", key=ADMIN_KEY, metadata=EVC)

    assert guarded.deregister("CP-001", key=ADMIN_KEY).status_code == 200

    assert evse(guarded, "NL/EVC", "CP-001")[1] == "REMOVED"
    assert located(guarded, "DE/CPO", "CP-001") is None
