"""What every version answers for: which objects it has, and that a look-up of it says so."""

from __future__ import annotations

import pytest

from domain.schemas import SchemaError
from domain.versions import INNER_VERSION, VERSIONS, Converted, ObjectKind, highest_common
from tests.domain.schemas import samples


def test_the_highest_common_version_is_by_number_not_by_text() -> None:
    offered = list(VERSIONS)
    common = highest_common(offered, ["2.0", "2.2.1", "9.9"])
    assert common is not None
    assert common.number == "2.2.1"
    assert highest_common(offered, ["2.0", "9.9"]) is None
    assert highest_common([], offered) is None


def test_the_inner_form_is_rendered_and_read_as_it_is() -> None:
    location = samples.location(evses=[samples.evse()])
    assert INNER_VERSION.render(ObjectKind.LOCATION, location) == Converted(location)
    with pytest.raises(LookupError, match=r"OCPI 2\.1\.1 has no client_info"):
        VERSIONS["2.1.1"].render(ObjectKind.CLIENT_INFO, {})
    assert INNER_VERSION.read(ObjectKind.LOCATION, location) == Converted(location)


def test_what_is_read_is_checked_by_the_versions_text() -> None:
    with pytest.raises(SchemaError) as refused:
        INNER_VERSION.read(ObjectKind.TOKEN, samples.without(samples.token(), "uid"))
    assert refused.value.errors == [("uid", "required field missing")]


def test_a_patch_needs_last_updated_in_2_2_1() -> None:
    with pytest.raises(SchemaError) as refused:
        INNER_VERSION.read_patch(ObjectKind.TOKEN, {"valid": False})
    assert refused.value.errors == [("last_updated", "required in a PATCH")]
    patch = {"valid": False, "last_updated": samples.AT}
    assert INNER_VERSION.read_patch(ObjectKind.TOKEN, patch) == patch


@pytest.mark.parametrize("number", VERSIONS)
def test_a_versions_key_can_be_the_name_of_a_field_in_the_store(number: str) -> None:
    assert VERSIONS[number].key == f"v{number.replace('.', '_')}"
    assert "." not in VERSIONS[number].key


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("2.1.1", {"RFID": "RFID", "APP_USER": "OTHER", "AD_HOC_USER": "OTHER", "EMAID": "OTHER"}),
        ("2.2.1", {"RFID": "RFID", "APP_USER": "APP_USER", "EMAID": "OTHER"}),
        ("2.3.0", {"RFID": "RFID", "APP_USER": "APP_USER", "EMAID": "EMAID"}),
    ],
)
def test_a_type_of_token_that_a_version_lacks_is_other_there(
    number: str, said: dict[str, str]
) -> None:
    assert {inner: VERSIONS[number].token_type(inner) for inner in said} == said
