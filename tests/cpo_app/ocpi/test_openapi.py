"""The docs say what is checked: every module, its bodies and answers, and how to show a token."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cpo_app.ocpi.server import openapi
from domain.schemas import validate
from domain.versions import VERSIONS, ObjectKind, OcpiVersion
from tests.cpo_app.ocpi.conftest import Face

SHOWN = [
    (version, kind)
    for version in VERSIONS.values()
    for kind in ObjectKind
    if kind in openapi._SHOWN and version.has(kind)
]
NO_DATA = {("delete", "credentials"), ("put", "tokens"), ("patch", "tokens")} | {
    ("put", "hubclientinfo"),
    ("post", "payments"),
}


@pytest.fixture
def document(face: Face) -> dict[str, Any]:
    return httpx.get(f"{face.ocpi}/openapi.json").json()


def test_a_token_can_be_given_once_for_all_requests(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["Token"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    assert document["security"] == [{"Token": []}]
    assert "CREDENTIALS_TOKEN_A" in document["info"]["description"]


@pytest.mark.parametrize(
    ("path", "method", "field"),
    [
        ("tokens/{country_code}/{party_id}/{token_uid}", "put", "whitelist"),
        ("commands/START_SESSION", "post", "response_url"),
        ("chargingprofiles/{session_id}", "put", "charging_profile"),
        ("credentials", "post", "roles"),
        ("sessions/{session_id}/charging_preferences", "put", "profile_type"),
    ],
)
def test_bodies_are_shown_as_they_are_checked(
    document: dict[str, Any], path: str, method: str, field: str
) -> None:
    operation = document["paths"][f"/ocpi/cpo/2.2.1/{path}"][method]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert field in _resolved(document, schema)["properties"]


@pytest.mark.parametrize("module", ["locations", "sessions", "cdrs", "tariffs"])
def test_lists_name_their_parameters(document: dict[str, Any], module: str) -> None:
    shown = document["paths"][f"/ocpi/cpo/2.2.1/{module}"]["get"]["parameters"]
    assert {row["name"] for row in shown} == {"date_from", "date_to", "offset", "limit"}
    required = [row["name"] for row in shown if row["required"]]
    assert required == (["date_from"] if module == "sessions" else [])


def test_every_operation_is_grouped_and_says_what_it_answers(document: dict[str, Any]) -> None:
    seen = 0
    for path, operations in document["paths"].items():
        assert path.startswith("/ocpi/")
        for method, operation in operations.items():
            (tag,) = operation["tags"]
            number, _, module = tag.rpartition(" ")
            assert not number or path.startswith(f"/ocpi/cpo/{number}/")
            assert module == "versions" or f"/{module}" in path
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            data = answer["properties"].get("data")
            assert (data is None) is ((method, module) in NO_DATA and "charging_pref" not in path)
            if data is not None:
                item = _resolved(document, data.get("items", data))
                assert item.get("properties") or item.get("enum"), (method, path)
                seen += 1
    assert seen > 20


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert _resolved(document, node)
            for part in node.values():
                walk(part)
        elif isinstance(node, list):
            for part in node:
                walk(part)

    walk(document)


@pytest.mark.parametrize(("version", "kind"), SHOWN)
def test_every_object_has_an_example_that_is_one(version: OcpiVersion, kind: ObjectKind) -> None:
    example = openapi.example_of(version, kind)
    assert validate(version.models[kind], example) == example


def test_an_object_that_the_docs_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="location_references is not among"):
        openapi.body(ObjectKind.LOCATION_REFERENCES)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found
