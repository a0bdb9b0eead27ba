"""Whatever is sent: one error shape, the field by name, and never a 5xx."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.charge_points import registrations
from domain.schemas import parse_datetime
from tests.cpo_app.registry.conftest import ADMIN_KEY, Api
from tests.drawn import drawn

WORDS = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}


def assert_refused(answer: Any, status: int, start: str) -> None:
    body = answer.json()
    assert (answer.status_code, set(body)) == (status, {"error", "detail", "timestamp"}), body
    assert body["error"] == WORDS[status]
    assert body["detail"].startswith(start), body["detail"]
    parse_datetime(body["timestamp"])


@pytest.mark.parametrize("path", ["/cp/register", "/cp/authenticate"])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"cp_id": NaN}', b"[" * 3000],
)
def test_a_body_that_is_no_json_object(api: Api, path: str, content: bytes) -> None:
    assert_refused(api.request("POST", path, content=content), 400, "body: ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"location": "Berlin"}, "cp_id"),
        ({"cp_id": None, "location": "Berlin"}, "cp_id"),
        ({"cp_id": 12345, "location": "Berlin"}, "cp_id"),
        ({"cp_id": "ab", "location": "Berlin"}, "cp_id"),
        ({"cp_id": "a" * 65, "location": "Berlin"}, "cp_id"),
        ({"cp_id": "CP 001", "location": "Berlin"}, "cp_id"),
        ({"cp_id": "CP-001\n", "location": "Berlin"}, "cp_id"),
        ({"cp_id": "СР-001", "location": "Berlin"}, "cp_id"),
        ({"cp_id": {"$ne": ""}, "location": "Berlin"}, "cp_id"),
        ({"cp_id": "CP-001"}, "location"),
        ({"cp_id": "CP-001", "location": 7}, "location"),
        ({"cp_id": "CP-001", "location": " B "}, "location"),
        ({"cp_id": "CP-001", "location": "B" * 257}, "location"),
        ({"cp_id": "CP-001", "location": "Berlin\nCP registered: CP-666 at Rome"}, "location"),
        ({"cp_id": "CP-001", "location": "Ber\x00lin"}, "location"),
        ({"cp_id": "CP-001", "location": "Ber\x1b[2Jlin"}, "location"),
        ({"cp_id": "CP-001", "location": "Ber\u202elin"}, "location"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": []}, "metadata"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": "x"}, "metadata"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": {"a": 2**63}}, "metadata"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": {"$set": 1}}, "metadata"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": {"a": {"": 1}}}, "metadata"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": {"a\x00": 1}}, "metadata"),
        ({"cp_id": "CP-001", "location": "Berlin", "metadata": {"a": "x" * 17_000}}, "metadata"),
        (
            {"cp_id": "CP-001", "location": "Berlin", "metadata": {"a": [[[[[[[[1]]]]]]]]}},
            "metadata",
        ),
        ({"cp_id": "CP-001", "location": "Berlin", "certificate_pem": 1}, "certificate_pem"),
    ],
)
def test_a_bad_field_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    assert_refused(api.request("POST", "/cp/register", json=body), 400, f"{field}: ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"credentials": "0" * 64}, "cp_id"),
        ({"cp_id": "CP-001"}, "credentials"),
        ({"cp_id": "CP-001", "credentials": ["0"]}, "credentials"),
        ({"cp_id": "CP-001", "credentials": {"$gt": ""}}, "credentials"),
        ({"cp_id": "CP-001", "credentials": ""}, "credentials"),
    ],
)
def test_authenticate_names_the_bad_field(api: Api, body: dict[str, Any], field: str) -> None:
    assert_refused(api.request("POST", "/cp/authenticate", json=body), 400, f"{field}: ")


def test_a_body_beyond_the_limit(api: Api) -> None:
    too_much = b'{"cp_id": "' + b"x" * 32_768 + b'"}'

    assert_refused(api.request("POST", "/cp/register", content=too_much), 413, "body: ")


def test_paths_and_methods_that_do_not_exist(api: Api) -> None:
    assert_refused(api.get("/nowhere"), 404, "Not Found")
    assert_refused(api.get("/cp/CP-404"), 404, "no charge point 'CP-404'")
    assert_refused(api.get("/cp/%00%0a"), 404, "no charge point")
    assert_refused(api.request("PUT", "/cp/CP-001"), 405, "Method Not Allowed")
    assert_refused(api.request("PATCH", "/cp"), 405, "Method Not Allowed")


def test_unknown_fields_are_ignored(api: Api) -> None:
    assert api.register("CP-001", status="DEREGISTERED", token_version=9).status_code == 200
    assert api.get("/cp/CP-001").json()["status"] == "REGISTERED"


def test_odd_but_harmless_places_and_metadata_are_taken(api: Api) -> None:
    api.registered("CP-001", "  Łódź, ul. Piotrkowska 1 ", metadata={"a.b": {"c.d": 1}, "e": None})

    assert api.get("/cp/CP-001").json()["location"] == "Łódź, ul. Piotrkowska 1"
    record = api.loop.run(registrations.get(api.store.db, "CP-001"))
    assert record is not None
    assert record["metadata"] == {"a.b": {"c.d": 1}, "e": None}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KNOWN_KEYS = st.sampled_from(
    ["site_id", "coordinates", "connectors", "country", "roaming", "opening_times", "publish"]
)


@settings(
    max_examples=drawn(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(KNOWN_KEYS | st.text(), JSON, max_size=5))
def test_no_metadata_whatever_breaks_the_registry(guarded: Api, metadata: dict[str, Any]) -> None:
    answer = guarded.register("CP-001", key=ADMIN_KEY, metadata=metadata)

    if answer.status_code != 200:
        assert_refused(answer, 400, "metadata: ")
        return
    shown = guarded.get("/cp/CP-001", **{"X-Registry-API-Key": ADMIN_KEY})
    assert shown.status_code == 200
    ocpi = shown.json()["ocpi"]
    assert ocpi["offered"] or ocpi["reasons"]
