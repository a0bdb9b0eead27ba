"""GET /cp and /cp/{cp_id}: public facts, pages, and how a charge point stands with OCPI."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cpo_app.registry.conftest import ADMIN_KEY, Api


def test_a_charge_point_in_a_known_city_is_offered_over_ocpi(api: Api) -> None:
    registered = api.registered("CP-001", "Berlin")

    facts = api.get("/cp/cp-001").json()

    warnings = facts["ocpi"].pop("warnings", [])
    assert all(isinstance(warning, str) for warning in warnings)
    assert facts == {
        "cp_id": "CP-001",
        "location": "Berlin",
        "status": "REGISTERED",
        "registration_date": registered["registration_date"],
        "updated_at": registered["registration_date"],
        "last_authenticated": registered["registration_date"],
        "has_certificate": False,
        "metadata": {},
        "ocpi": {"offered": True, "location_id": "CP-001"},
    }
    location = api.location("CP-001")
    assert location is not None
    assert (location["city"], location["country"]) == ("Berlin", "DEU")
    assert location["time_zone"] == "Europe/Berlin"
    assert location["coordinates"]["latitude"].startswith("52.")


def test_one_at_an_unknown_place_is_held_back_with_the_reason(api: Api) -> None:
    api.registered("CP-001", "Behind the moon")

    ocpi = api.get("/cp/CP-001").json()["ocpi"]

    assert ocpi["offered"] is False
    assert ocpi["reasons"]
    assert "location_id" not in ocpi
    assert api.location("CP-001") is None


def test_mending_the_place_lifts_the_hold(api: Api) -> None:
    first = api.registered("CP-001", "Behind the moon")

    api.registered("CP-001", "Madrid", existing=first["credentials"])

    ocpi = api.get("/cp/CP-001").json()["ocpi"]
    assert (ocpi["offered"], "reasons" in ocpi) == (True, False)
    assert api.location("CP-001") is not None


def test_inner_metadata_stays_in_the_house(api: Api) -> None:
    api.registered(
        "CP-001",
        metadata={"power_rating": "22kW", "cp_e_host": "10.0.0.7", "cp_e_port": 8001, "pin": "1"},
    )

    assert api.get("/cp/CP-001").json()["metadata"] == {"power_rating": "22kW"}
    assert "10.0.0.7" not in str(api.location("CP-001"))


def test_nothing_secret_is_shown(api: Api) -> None:
    body = api.registered("CP-001")

    shown = api.get("/cp/CP-001").text + api.get("/cp").text

    assert body["credentials"] not in shown
    assert body["token"] not in shown
    assert "hash" not in shown


def test_pages_in_order_of_registration(api: Api) -> None:
    secrets = {cp_id: api.registered(cp_id)["credentials"] for cp_id in ("CP-C", "CP-A", "CP-B")}
    api.deregister("CP-A", existing=secrets["CP-A"])

    def ids(query: str) -> tuple[list[str], int]:
        page = api.get(f"/cp{query}").json()
        return [cp["cp_id"] for cp in page["cps"]], page["total"]

    assert ids("") == (["CP-C", "CP-A", "CP-B"], 3)
    assert ids("?limit=2") == (["CP-C", "CP-A"], 3)
    assert ids("?limit=2&offset=2") == (["CP-B"], 3)
    assert ids("?offset=2147483647") == ([], 3)
    assert ids("?status_filter=REGISTERED") == (["CP-C", "CP-B"], 2)
    assert ids("?status_filter=deregistered") == (["CP-A"], 1)
    page = api.get("/cp?limit=2&offset=1").json()
    assert (page["limit"], page["offset"]) == (2, 1)


def test_an_empty_registry_is_an_empty_page(api: Api) -> None:
    assert api.get("/cp").json() == {"cps": [], "total": 0, "limit": 100, "offset": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("offset=-1", "offset"),
        ("offset=2147483648", "offset"),
        ("status_filter=LOST", "status_filter"),
    ],
)
def test_a_bad_query_names_its_field(api: Api, query: str, field: str) -> None:
    answer = api.get(f"/cp?{query}")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{field}: ")


def test_with_an_admin_key_set_the_facts_are_the_operators_and_each_ones_own(
    make_api: Callable[..., Api],
) -> None:
    guarded = make_api(REGISTRY_ADMIN_API_KEY=ADMIN_KEY)
    key = {"X-Registry-API-Key": ADMIN_KEY}
    own = guarded.registered("CP-001", key=ADMIN_KEY)["token"]
    guarded.registered("CP-002", key=ADMIN_KEY)
    bearer = {"Authorization": f"Bearer {own}"}

    assert [guarded.get(path).status_code for path in ("/cp", "/cp/CP-001")] == [401, 401]
    assert guarded.get("/cp", **key).json()["total"] == 2
    assert guarded.get("/cp/CP-001", **bearer).status_code == 200
    assert guarded.get("/cp/CP-002", **bearer).status_code == 403
    assert guarded.get("/cp", **bearer).status_code == 403
    public = make_api(REGISTRY_ADMIN_API_KEY=ADMIN_KEY, REGISTRY_PUBLIC_LISTING=True)
    assert public.get("/cp").json()["total"] == 2
    assert public.get("/cp/CP-001").status_code == 200
