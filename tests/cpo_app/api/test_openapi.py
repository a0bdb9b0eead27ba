"""The API's docs: an example of everything, and no example that is not so."""

from __future__ import annotations

import pytest

from cpo_app.actions.action import AnyAction
from cpo_app.actions.catalog import all_actions
from cpo_app.api import examples
from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.operators.actor import Role
from domain.sessions.session_rules import Rules
from tests.conftest import Loop
from tests.cpo_app.api.conftest import Api
from tests.cpo_app.api.test_api import charged
from tests.domain.sessions.worlds import World, tariff

ACTIONS = tuple(all_actions())


def operations(api: Api) -> list[tuple[str, str, JsonObject]]:
    paths = api.get("/openapi.json", None).json()["paths"]
    return [
        (path, method, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_every_answer_has_an_example_and_every_error_is_a_problem(api: Api) -> None:
    schema = api.get("/openapi.json", None).json()
    assert set(schema["components"]["schemas"]) == {"Problem"}
    for path, method, operation in operations(api):
        answers = operation["responses"]
        assert "example" in answers["200"]["content"]["application/json"], (method, path)
        assert {"401", "503"} <= answers.keys()
        for status, answer in answers.items():
            if status == "200":
                continue
            (media, shown), *others = answer["content"].items()
            assert (media, others) == ("application/problem+json", []), (method, path, status)
            assert shown["example"]["status"] == int(status)
            assert shown["example"].keys() == {"type", "title", "status", "detail"}
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] != "path" or method == "get" or parameter["example"]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_action_can_be_told_its_example(action: AnyAction) -> None:
    example = examples.told(action)
    assert action.parameters.parse_obj(example).dict(by_alias=True).keys() >= example.keys()
    assert examples.done(action)["said"] == action.said()


def test_what_is_read_has_the_names_of_its_example(api: Api, db: Database, loop: Loop) -> None:
    world = World(db, loop, tariff(), rules=Rules())
    session_id = charged(world)
    peer_id = api.post("/v1/peers", {"name": "MSP", "parties": ["NL/TNM"]}).json()["peer_id"]
    api.post("/v1/operators", {"name": "ines", "role": "viewer"})
    ids = {"session_id": session_id, "object_id": session_id, "peer_id": peer_id}
    for path in (
        *("/sessions", "/sessions/{session_id}", "/cdrs", "/cdrs/{object_id}", "/tariffs"),
        *("/tariffs-default", "/peers", "/peers/{peer_id}", "/quirks", "/operators", "/keys"),
        *("/audit", "/settings", "/secrets", "/backups", "/me", "/money", "/notices"),
    ):
        answer = api.get(f"/v1{path.format(**ids)}", Role.ADMIN).json()
        example = examples.READ[path]
        if example.get("items"):
            assert answer["items"], path
            assert example["items"][0].keys() <= answer["items"][0].keys(), path
        assert example.keys() <= answer.keys(), path
