"""The operator's API, asked as scripts ask it."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpo_app.actions.catalog import all_actions
from db_interface.collection import Documents
from db_interface.database import Database, StoreUnavailable
from domain.charge_points.registrations import Application, Proof, register
from domain.operators.actor import Role
from domain.sessions.session_rules import Rules
from tests.conftest import Loop
from tests.cpo_app.api.conftest import Api
from tests.cpo_app.doors import basic
from tests.domain.sessions.worlds import World, reading, tariff
from tests.drawn import drawn

LISTS = (
    "/v1/charge-points",
    "/v1/dead-letters",
    "/v1/sessions",
    "/v1/money",
    "/v1/reservations",
    "/v1/commands",
    "/v1/cdrs",
    "/v1/tariffs",
    "/v1/locations",
    "/v1/tokens",
    "/v1/peers",
    "/v1/claims",
    "/v1/terminals",
    "/v1/financial-advice-confirmations",
    "/v1/audit",
)


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff(), rules=Rules())


def charged(world: World, start: float = 0) -> str:
    session_id = world.open(start)
    world.begin(session_id, start)
    world.meter(session_id, reading(start + 1800, 5000.0))
    world.end(session_id, start + 3600, 10_000.0)
    return session_id


def test_it_is_nobodys_without_a_key(api: Api) -> None:
    for path in (*LISTS, "/v1/me", "/v1/settings"):
        answer = api.get(path, None)
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Bearer" in answer.headers["www-authenticate"]
        assert answer.json()["status"] == 401
    assert api.get("/v1/me", None, headers=basic()).json()["name"] == "admin"
    me = api.get("/v1/me").json()
    assert (me["kind"], me["name"], me["role"], me["actions"]) == (
        "key",
        "viewer-key",
        "viewer",
        [],
    )
    assert api.get("/v1/me", None, headers={"Authorization": "Bearer no"}).status_code == 401


def test_every_list_is_answered_in_pages(api: Api, world: World) -> None:
    ids = [charged(world), charged(world, 7200), charged(world, 14400)]
    for path in LISTS:
        answer = api.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert {"items", "next"} <= answer.json().keys()
        for bad in ("limit=0", "limit=1001", "limit=x"):
            wrong = api.get(f"{path}?{bad}")
            assert wrong.status_code == 422 and "limit" in wrong.json()["detail"]
    for path in ("/v1/sessions", "/v1/cdrs"):
        seen, cursor = [], ""
        for _ in range(4):
            page = api.get(f"{path}?limit=1{cursor}").json()
            seen += [row["id"] for row in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == ids[::-1], path
    assert api.get("/v1/sessions?charge_point=CP-404").json()["items"] == []
    assert api.get("/v1/cdrs?party=NL/EVC&limit=2").json()["next"] is not None
    for path in ("/v1/sessions?cursor=x", "/v1/audit?cursor=", "/v1/cdrs?party=zz"):
        assert api.get(path).status_code == 422, path


def test_one_of_each_is_shown_without_a_card_number(api: Api, world: World) -> None:
    session_id = charged(world)
    cdr = api.get(f"/v1/cdrs/{session_id.upper()}").json()
    assert cdr["id"] == session_id
    assert cdr["cdr_token"]["uid"].startswith("…")
    assert api.get(f"/v1/sessions/{session_id}").json()["status"] == "COMPLETED"
    application = Application("CP-9", "Berlin", {"site_secret": "hunter2"})
    proof = Proof(admin=True)
    api.loop.run(
        register(
            api.backend.store,
            application,
            proof=proof,
            open_to_new=True,
            credentials_hash="f" * 64,
            party=api.backend.settings.parties[0],
        )
    )
    shown = api.get("/v1/charge-points/cp-9")
    assert shown.json()["id"] == "CP-9"
    assert "hunter2" not in shown.text and "f" * 64 not in shown.text
    assert [row["id"] for row in api.get("/v1/charge-points").json()["items"]] == ["CP-9"]
    assert api.get("/v1/tariffs/t1").json()["id"].lower() == "t1"
    assert " €/kWh" in api.get("/v1/tariffs/t1/summary").json()["words"]
    for path in ("sessions/x", "cdrs/x", "charge-points/x", "tariffs/x", "peers/x", "nothing"):
        gone = api.get(f"/v1/{path}")
        assert gone.status_code == 404, path
        assert gone.headers["content-type"] == "application/problem+json"
    assert api.request("DELETE", "/v1/cdrs").status_code == 405


def test_a_cdr_is_credited_and_the_log_says_by_which_key(api: Api, world: World) -> None:
    session_id = charged(world)
    given = {"energy_kwh": 8}
    refused = api.post(f"/v1/cdrs/{session_id}/credit", given, Role.OPERATOR)
    assert refused.status_code == 403
    assert refused.json()["detail"].startswith("Credit: needs the role money, operator-key has")
    headers = {"X-Correlation-ID": "ticket-7"}
    done = api.post(f"/v1/cdrs/{session_id}/credit", given, Role.MONEY, headers=headers)
    assert done.status_code == 200, done.text
    assert done.json()["corrected"]["total_energy"] == 8.0
    assert done.json()["said"].startswith("Credited")
    assert done.headers["x-correlation-id"] == "ticket-7"
    again = api.post(f"/v1/cdrs/{session_id}/credit", given, Role.MONEY)
    assert (again.status_code, again.json()["detail"]) == (409, f"{session_id} is credited already")
    log = api.get("/v1/audit?action=cdrs.credit").json()["items"]
    assert [(row["by"]["name"], row["result"]) for row in log] == [
        ("money-key", "refused"),
        ("money-key", "done"),
        ("operator-key", "refused"),
    ]
    assert log[1]["correlation_id"] == "ticket-7"
    assert {"kind": "session", "id": session_id} in log[1]["about"]
    assert [row["id"] for row in api.get(f"/v1/audit?about={session_id}").json()["items"]] == [
        row["id"] for row in log
    ]


def test_a_peer_is_invited_and_looked_after(api: Api) -> None:
    made = api.post("/v1/peers", {"name": "MSP", "parties": ["NL/TNM"]}).json()
    peer_id = made["peer_id"]
    assert len(made["token"]) == 64
    assert api.get(f"/v1/peers/{peer_id}").json()["status"] == "invited"
    assert [row["peer_id"] for row in api.get("/v1/peers").json()["items"]] == [peer_id]
    done = api.post(
        f"/v1/peers/{peer_id}/quirk", {"name": "no_patch", "value": "on"}, Role.OPERATOR
    )
    assert done.json()["quirks"]["no_patch"] is True
    assert api.post(f"/v1/peers/{peer_id}/suspend").status_code == 409
    assert api.post("/v1/peers/peer-404/suspend").status_code == 404
    bodies: tuple[object, ...] = (
        {},
        [],
        {"name": ""},
        {"name": "x", "colour": "red"},
        {"name": "x", "hub": 7.5},
    )
    for bad in bodies:
        assert api.post("/v1/peers", bad).status_code == 422, bad
    moved = api.post(f"/v1/peers/{peer_id}/move-party", {"party": "FR/ABC"})
    assert moved.status_code == 200
    assert api.get("/v1/claims").json()["items"][0]["party"] == "FR/ABC"
    texts = [api.get(path, Role.ADMIN).text for path in LISTS]
    assert not any(made["token"] in text for text in texts)


def test_notices_are_shown_and_tested_where_somebody_is_told(api: Api) -> None:
    assert api.get("/v1/notices").json() == {
        "open": [],
        "over": [],
        "targets": [],
        "watched": False,
    }
    refused = api.post("/v1/notices/test", {}, Role.OPERATOR)
    assert refused.status_code == 409 and "CPO_WEBHOOKS" in refused.json()["detail"]


def test_settings_are_shown_without_their_secrets(api: Api) -> None:
    answer = api.get("/v1/settings")
    assert answer.json()["settings"]["CPO_ADMIN_PASSWORD"] == "(redacted)"
    assert answer.json()["settings"]["REGISTRY_SECRET_KEY"] == "(redacted)"
    assert answer.json()["settings"]["CPO_WEBHOOKS"] == "", "not set"
    assert answer.json()["settings"]["CPO_PARTIES"] == "NL/EVC=Ours"
    secrets = api.backend.settings
    for secret in (secrets.CPO_ADMIN_PASSWORD, secrets.REGISTRY_SECRET_KEY):
        assert secret and secret not in answer.text


def test_the_docs_list_every_action_with_its_words_and_role(api: Api) -> None:
    paths = api.get("/openapi.json", None).json()["paths"]
    shown = {one["post"]["x-action"]: one["post"] for one in paths.values() if "post" in one}
    assert shown.keys() == {action.name for action in all_actions()}
    for action in all_actions():
        assert shown[action.name]["summary"] == action.title
        assert action.meaning in shown[action.name]["description"]
        assert shown[action.name]["x-role"] == action.needs.value
    page = api.get("/docs", None)
    assert page.status_code == 200 and "/api/docs/start.js" in page.text
    assert '"/api/openapi.json"' in api.get("/docs/start.js", None).text
    assert api.get("/docs/assets/swagger-ui.css", None).status_code == 200


def test_without_the_store_it_says_so_and_when_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object, **__: object) -> object:
        raise StoreUnavailable("away")

    monkeypatch.setattr(Documents, "find", gone)
    answer = api.get("/v1/cdrs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.headers["content-type"] == "application/problem+json"


IDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters="/?#%{}\\"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip("."))
ACTIONS = [one for one in all_actions() if one.name != "peers.connect"]
QUERIES = ("limit", "cursor", "status", "charge_point", "party", "about", "by")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=drawn(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bad_input_is_never_an_error_of_ours(api: Api, data: st.DataObject) -> None:
    """Any action with any values for its parameters, and any list with any query."""
    if data.draw(st.booleans()):
        action = data.draw(st.sampled_from(ACTIONS))
        names = list(action.parameters.__fields__)
        body = data.draw(st.dictionaries(st.sampled_from([*names, "x"]), ANYTHING, max_size=5))
        path, ids = action.path, data.draw(IDS)
        for name in names:
            path = path.replace(f"{{{name}}}", ids)
        answer = api.loop.run(
            api.http.post(
                f"/api/v1{path}",
                content=json.dumps(body).encode("utf-8", "surrogatepass"),
                headers=api.as_role(Role.ADMIN),
            )
        )
    else:
        path = data.draw(st.sampled_from(LISTS))
        query = data.draw(
            st.dictionaries(st.sampled_from(QUERIES), st.text(max_size=30), max_size=4)
        )
        answer = api.get(path, params=query)
    assert answer.status_code < 500, (path, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
