"""validate, validate_patch, apply_patch and what SchemaError says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.schemas import (
    Credentials,
    DisplayText,
    Location,
    SchemaError,
    Session,
    Token,
    apply_patch,
    validate,
    validate_patch,
)
from tests.domain.schemas import samples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_null_is_absent_unknown_fields_go_and_empty_lists_stay() -> None:
    given_data = samples.location(state=None, evses=None, facilities=[], x_vendor={"a": 1})
    assert validate(Location, given_data) == samples.location(facilities=[])


def test_a_null_for_a_mandatory_field_is_refused() -> None:
    with pytest.raises(SchemaError) as refused:
        validate(Token, samples.token(uid=None))
    assert refused.value.errors == [("uid", "required field without value")]


def test_an_error_names_path_and_reason_in_one_line() -> None:
    evses = [samples.evse(connectors=[samples.connector(), samples.connector(id="2", format="X")])]
    data = samples.without(samples.location(evses=evses), "city")
    with pytest.raises(SchemaError) as refused:
        validate(Location, data)
    assert str(refused.value) == (
        "city: required field missing; "
        "evses.0.connectors.1.format: value is not one of SOCKET, CABLE"
    )


def test_a_long_error_is_cut() -> None:
    with pytest.raises(SchemaError) as refused:
        validate(Location, {"evses": [{"connectors": [{}]}] * 50})
    assert len(str(refused.value)) == 400
    assert str(refused.value).endswith(" ...")
    assert len(refused.value.errors) > 300


def test_an_error_never_repeats_a_value() -> None:
    secret = "s3cret token"
    wrong = samples.credentials(token=secret, url=secret)
    wrong["roles"][0]["role"] = secret
    with pytest.raises(SchemaError) as refused:
        validate(Credentials, wrong)
    assert len(refused.value.errors) == 3
    assert "s3cret" not in f"{refused.value!s}{refused.value!r}{refused.value.errors}"
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("wrong", [None, [], "x", 1, [["language", "en"], ["text", "x"]]])
def test_only_an_object_is_an_object(wrong: object) -> None:
    with pytest.raises(SchemaError) as refused:
        validate(DisplayText, wrong)
    assert refused.value.errors == [("", "value is not an object")]
    with pytest.raises(SchemaError) as nested:
        validate(Location, samples.location(directions=[wrong]))
    assert [path for path, _ in nested.value.errors] == ["directions.0"]


@given(JSON)
def test_any_json_is_taken_or_refused_and_never_breaks(data: object) -> None:
    for wrapped in (
        data,
        samples.location(evses=data),
        samples.location(opening_times=data),
    ):
        try:
            validate(Location, wrapped)
        except SchemaError as refused:
            assert refused.errors


@pytest.mark.parametrize("key", ["self", "__pydantic_self__", "__class__", "cls", "", "valid "])
def test_odd_names_of_fields_are_unknown_fields(key: str) -> None:
    assert validate(Token, {**samples.token(), key: "x"}) == samples.token()


def test_a_patch_holds_the_fields_given_and_marks_the_cleared_ones() -> None:
    patch = {"valid": False, "group_id": None, "x": 1, "last_updated": "2024-05-02T10:00:00+02:00"}
    assert validate_patch(Token, patch) == {
        "valid": False,
        "group_id": None,
        "last_updated": "2024-05-02T08:00:00Z",
    }


def test_a_patch_is_as_strict_as_a_put_and_clears_nothing_mandatory() -> None:
    patch = {
        "valid": "yes",
        "issuer": None,
        "whitelist": "no",
        "language": "eng",
        "last_updated": 7,
    }
    with pytest.raises(SchemaError) as refused:
        validate_patch(Token, {**patch, "energy_contract": {}})
    assert refused.value.errors == [
        ("issuer", "required field cannot be cleared"),
        ("valid", "value is not a boolean"),
        ("whitelist", "value is not one of ALWAYS, ALLOWED, ALLOWED_OFFLINE, NEVER"),
        ("language", "longer than 2 characters"),
        ("energy_contract.supplier_name", "required field missing"),
        ("last_updated", "not a timestamp string"),
    ]


@pytest.mark.parametrize("patch", [{}, {"valid": True}, {"valid": True, "last_updated": None}])
def test_a_patch_must_carry_last_updated(patch: dict[str, object]) -> None:
    with pytest.raises(SchemaError) as refused:
        validate_patch(Token, patch)
    assert refused.value.errors == [("last_updated", "required in a PATCH")]


def test_a_patch_checks_the_elements_of_a_list() -> None:
    period = {"start_date_time": samples.AT, "dimensions": []}
    with pytest.raises(SchemaError) as refused:
        validate_patch(Session, {"charging_periods": [period], "last_updated": samples.AT})
    assert [path for path, _ in refused.value.errors] == ["charging_periods.0.dimensions"]


def test_a_patch_is_laid_over_the_stored_object() -> None:
    stored = samples.token(group_id="G1", language="de")
    patch = {"group_id": None, "language": "nl", "last_updated": "2024-05-02T10:00:00Z"}
    patched = apply_patch(Token, stored, validate_patch(Token, patch))
    assert patched == samples.token(language="nl", last_updated="2024-05-02T10:00:00Z")
    assert stored["group_id"] == "G1"


def test_a_patch_cannot_break_a_rule_between_fields() -> None:
    stored = samples.location(publish=False, publish_allowed_to=[{"group_id": "G"}])
    patch = validate_patch(Location, {"publish": True, "last_updated": samples.AT})
    with pytest.raises(SchemaError):
        apply_patch(Location, stored, patch)
