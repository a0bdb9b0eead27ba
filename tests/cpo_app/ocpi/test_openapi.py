"""The docs say what is checked: every module, its bodies, and how to show a token."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.cpo_app.ocpi.conftest import Face


@pytest.fixture
def document(face: Face) -> dict[str, Any]:
    return httpx.get(f"{face.ocpi}/openapi.json").json()


def test_a_token_can_be_given_once_for_all_requests(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["Token"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    assert document["security"] == [{"Token": []}]


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
    assert field in schema["properties"]


@pytest.mark.parametrize("module", ["locations", "sessions", "cdrs", "tariffs"])
def test_lists_name_their_parameters(document: dict[str, Any], module: str) -> None:
    shown = document["paths"][f"/ocpi/cpo/2.2.1/{module}"]["get"]["parameters"]
    assert {row["name"] for row in shown} == {"date_from", "date_to", "offset", "limit"}
