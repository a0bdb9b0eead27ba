"""EV_Registry's `/metrics`: for whom, and what of it is counted."""

from __future__ import annotations

import base64
from collections.abc import Callable

from domain.operators import api_keys
from domain.operators.actor import Role
from tests.conftest import Loop
from tests.counting import growth_of
from tests.cpo_app.registry.conftest import Api

PASSWORD = "the password of the admin"


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_the_operators_people_and_keys_alone_see_them(
    make_api: Callable[..., Api], loop: Loop
) -> None:
    api = make_api(CPO_ADMIN_PASSWORD=PASSWORD)

    def key(scope: str) -> dict[str, str]:
        async def add() -> str:
            return await api.store.transact(
                lambda tx: api_keys.add(tx, f"scraper-{scope}", Role.VIEWER, scopes=[scope])
            )

        return {"Authorization": f"Bearer {loop.run(add())}"}

    assert api.get("/metrics").status_code == 401
    assert api.get("/metrics", **basic("admin", "wrong")).status_code == 401
    assert api.get("/metrics", **key("api")).status_code == 403
    assert api.get("/metrics", **key("metrics")).status_code == 200
    told = api.get("/metrics", **basic("admin", PASSWORD))
    assert told.status_code == 200 and "cpo_store_up 1.0" in told.text
    assert "cpo_build_info{" in told.text


def test_requests_are_counted_by_route_and_no_id_is_told(api: Api) -> None:
    name = "cpo_registry_requests_total"
    registered = growth_of(name, route="/cp/register", method="POST", status="200")
    asked = growth_of(name, route="/cp/{cp_id}", method="GET", status="404")
    took = growth_of("cpo_registry_request_duration_seconds_count", route="/cp/{cp_id}")
    api.registered("CP-001")
    api.get("/cp/NOBODY-1")
    api.get("/cp/NOBODY-2")
    assert (registered(), asked(), took()) == (1, 2, 2)
