"""Every example of the OCPI text validates and comes back equal, but for those it got wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.schemas import (
    CDR,
    EVSE,
    ClientInfo,
    Connector,
    Credentials,
    DisplayText,
    EnergyMix,
    Hours,
    Location,
    OcpiModel,
    SchemaError,
    Session,
    Tariff,
    Token,
    Version,
    VersionDetails,
    parse_datetime,
    validate,
    validate_patch,
)

EXAMPLES = Path(__file__).parents[2] / "data" / "spec_examples"

# What the text itself got wrong: the whole of what we say of it, and why we are right.
WRONG_IN_THE_TEXT = {
    # ClientInfo.last_updated has cardinality 1.
    "hubclientinfo/clientinfo_put_body_REPAIRED.json": {"last_updated": "required field missing"},
    # An EVSE in the style of OCPI 2.0: a connector without half of its mandatory fields,
    # physical_reference as a number though its type is string(16).
    "locations/location_put_example_add_evse.json": {
        "connectors.0.power_type": "required field missing",
        "connectors.0.max_voltage": "required field missing",
        "connectors.0.max_amperage": "required field missing",
        "connectors.0.last_updated": "required field missing",
        "physical_reference": "not a string",
    },
    # Tariff.last_updated has cardinality 1.
    "tariffs/tariff_put_example.json": {"last_updated": "required field missing"},
}
MODEL_OF_FOLDER: dict[str, type[OcpiModel]] = {
    "cdrs": CDR,
    "credentials": Credentials,
    "hubclientinfo": ClientInfo,
    "sessions": Session,
    "tariffs": Tariff,
    "tokens": Token,
    "types": DisplayText,
}
MODEL_OF_PATCH: dict[str, type[OcpiModel]] = {
    "location_patch_example_location": Location,
    "location_patch_example_status": EVSE,
    "location_patch_example_remove_evse": EVSE,
    "location_patch_example_tariff": Connector,
    "session_patch_example_charging_period": Session,
    "session_patch_example_total_cost": Session,
    "token_patch_example": Token,
}


def names() -> list[str]:
    found = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.json"))
    return [name for name in found if name != "INDEX.json"]


def read_back(name: str) -> tuple[Any, Any]:
    """(what the example holds, what we make of it), for the part of it that is an OCPI object."""
    data = json.loads((EXAMPLES / name).read_text())
    folder, stem = Path(name).parts[0], Path(name).stem
    if stem in MODEL_OF_PATCH:
        return data, validate_patch(MODEL_OF_PATCH[stem], data)
    if folder == "transport":
        # An envelope round the object; the envelope itself is not a schema of ours.
        assert parse_datetime(data["timestamp"]).year == 2015
        if "data" not in data:
            return data, data
        data = data["data"]
    if "version" in stem:
        if isinstance(data, list):
            return data, [validate(Version, item) for item in data]
        return data, validate(VersionDetails, data)
    if folder == "transport":
        if isinstance(data, list):
            return data, [validate(Token, item) for item in data]
        return data, validate(Token, data)
    if "opening_times" in data and "id" not in data:
        return data["opening_times"], validate(Hours, data["opening_times"])
    if "energy_mix" in data and "id" not in data:
        return data["energy_mix"], validate(EnergyMix, data["energy_mix"])
    if folder == "locations":
        model = EVSE if "uid" in data else Hours if "twentyfourseven" in data else Location
        return data, validate(model, data)
    return data, validate(MODEL_OF_FOLDER[folder], data)


def test_all_examples_are_here() -> None:
    # 59 files of the text's examples folder, one inline, one repaired.
    index = json.loads((EXAMPLES / "INDEX.json").read_text())
    assert len(names()) == 61
    assert {row["path"] for row in index if row["parses"]} < set(names())


@pytest.mark.parametrize("name", [name for name in names() if name not in WRONG_IN_THE_TEXT])
def test_example_comes_back_equal(name: str) -> None:
    given, returned = read_back(name)
    assert returned == given
    # Equal in types as well: 1 is not true, and no enum or string subclass hides in it.
    assert json.dumps(returned, sort_keys=True) == json.dumps(given, sort_keys=True)


@pytest.mark.parametrize("name", WRONG_IN_THE_TEXT)
def test_example_that_the_text_got_wrong_is_refused_for_just_that(name: str) -> None:
    with pytest.raises(SchemaError) as refused:
        read_back(name)
    assert dict(refused.value.errors) == WRONG_IN_THE_TEXT[name]
