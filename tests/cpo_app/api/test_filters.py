"""Lists of the API, narrowed: by charge point, peer, state, date."""

from __future__ import annotations

import pytest

from db_interface.database import Database
from domain.peers.peer_document import PEERS
from domain.peers.peers import Peers
from domain.secrets import Vault
from domain.sessions.session_records import SESSIONS
from domain.sessions.session_rules import Rules
from tests.conftest import Loop
from tests.cpo_app.api.conftest import Api
from tests.cpo_app.api.test_api import charged
from tests.domain.sessions.worlds import World, tariff


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff(), rules=Rules())


def ids(api: Api, path: str) -> list[str]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["items"]]


def test_sessions_and_cdrs_are_found_by_charge_point_peer_state_and_date(
    api: Api, world: World, db: Database, loop: Loop
) -> None:
    first, second = charged(world), charged(world, 7200)
    running = world.open(14400)
    peer, _ = loop.run(Peers(db, Vault("k" * 40)).invite("MSP", db.now()))
    holder = loop.run(SESSIONS.of(db).find_one({"_id": first}, {"audience": 1, "cp_id": 1}))
    assert holder is not None
    audiences = {"$set": {"audiences": [holder["audience"]]}}
    loop.run(PEERS.of(db).update_one({"_id": peer.peer_id}, audiences))
    at = api.get(f"/v1/sessions/{second}").json()["created"]

    assert ids(api, "/v1/sessions?status=COMPLETED") == [second, first]
    assert ids(api, "/v1/sessions?status=PENDING") == [running]
    assert ids(api, f"/v1/sessions?from={at}") == [running, second]
    assert ids(api, f"/v1/sessions?to={at}") == [first]
    assert ids(api, f"/v1/sessions?charge_point={holder['cp_id']}&limit=1") == [running]
    for module in ("sessions", "cdrs"):
        assert set(ids(api, f"/v1/{module}?peer={peer.peer_id}")) >= {first, second}
        assert ids(api, f"/v1/{module}?peer=peer-404") == []
        assert ids(api, f"/v1/{module}?to=2000-01-01T00:00:00Z") == []
    assert ids(api, f"/v1/cdrs?charge_point={holder['cp_id']}") == [second, first]
    assert ids(api, "/v1/cdrs?charge_point=CP-404") == []
    assert ids(api, f"/v1/cdrs?session={first.upper()}") == [first]
    assert ids(api, "/v1/cdrs?from=2000-01-01T00:00:00Z&limit=1") == [second]


def test_a_filter_goes_on_over_pages(api: Api, world: World) -> None:
    made = [charged(world, start) for start in (0, 7200, 14400)]
    since = api.get(f"/v1/sessions/{made[0]}").json()["created"]
    page = api.get(f"/v1/sessions?from={since}&limit=2").json()
    assert [row["id"] for row in page["items"]] == made[:0:-1]
    rest = api.get(f"/v1/sessions?from={since}&limit=2&cursor={page['next']}").json()
    assert [row["id"] for row in rest["items"]] == made[:1] and rest["next"] is None


def test_credits_are_a_list_of_their_own(api: Api, world: World) -> None:
    session_id = charged(world)
    done = api.post(f"/v1/cdrs/{session_id}/credit", {"energy_kwh": 8}).json()
    assert ids(api, "/v1/cdrs?credit=true") == [done["credit"]["id"]]
    assert set(ids(api, "/v1/cdrs?credit=false")) == {session_id, done["corrected"]["id"]}


def test_what_is_no_filter_is_said(api: Api) -> None:
    for path in (
        "/v1/sessions?status=LOUD",
        "/v1/cdrs?credit=perhaps",
        "/v1/commands?state=x",
        "/v1/reservations?active=x",
        "/v1/sessions?from=yesterday",
        "/v1/sessions?from=0001-01-01T00:00:00%2B14:00",
    ):
        refused = api.get(path)
        assert refused.status_code == 422, path
        assert refused.headers["content-type"] == "application/problem+json"
    for path in ("reservations/x", "commands/x", "tokens/x"):
        assert api.get(f"/v1/{path}").status_code == 404
    for path, named in (
        ("/v1/sessions?chargepoint=CP-1", "chargepoint"),
        ("/v1/quirks?limit=5", "limit"),
        ("/v1/cdrs?limit=5&limit=6", "limit"),
        ("/v1/locations?status=AVAILABLE", "status"),
    ):
        refused = api.get(path)
        assert refused.status_code == 400, path
        assert refused.json()["detail"].startswith(f"{named}: ")
    names = [row["name"] for row in api.get("/v1/quirks").json()["items"]]
    assert "no_patch" in names


def test_anything_is_searched_by_id(api: Api, world: World) -> None:
    session_id = charged(world)
    found = api.get(f"/v1/search?q={session_id}").json()
    assert found["exact"] is True and found["more"] == []
    assert [(hit["kind"], hit["id"]) for hit in found["items"]] == [
        ("session", session_id),
        ("CDR", session_id),
    ]
    assert api.get("/v1/search?q=%00").json()["items"] == []
    assert api.get("/v1/search").status_code == 422
