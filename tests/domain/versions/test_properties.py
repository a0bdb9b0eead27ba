"""What holds for every object: 2.3.0 loses nothing of 2.2.1, and what is rendered is valid."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.schemas import validate
from domain.versions import (
    INNER_VERSION,
    VERSIONS,
    Context,
    Converted,
    ObjectKind,
    Party,
    Unconvertible,
)
from domain.versions.inner import MODELS as INNER_MODELS
from tests.domain.schemas import samples
from tests.domain.versions.objects import objects_of
from tests.drawn import drawn

STORED = (
    ObjectKind.LOCATION,
    ObjectKind.SESSION,
    ObjectKind.CDR,
    ObjectKind.TARIFF,
    ObjectKind.TOKEN,
)
SLOW_TO_MAKE = settings(
    max_examples=drawn(15),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
CONTEXT = Context(
    party=Party("DE", "TNM"),
    location=samples.location(evses=[samples.evse()]),
    token=samples.token(),
    time_zone="Europe/Brussels",
)
BILLS = (ObjectKind.SESSION, ObjectKind.CDR)
"""What 2.1.1 says of their EVSE and their token may be too little."""


def has_at_most_one_hub(data: dict[str, Any]) -> bool:
    """2.3.0 knows a hub as what a platform's credentials name, and no client that is one."""
    roles = [role["role"] for role in data.get("roles") or ()]
    return roles.count("HUB") <= 1 and data.get("role") != "HUB"


@pytest.mark.parametrize("kind", list(INNER_VERSION.models))
def test_2_2_1_to_2_3_0_and_back_loses_nothing(kind: ObjectKind) -> None:
    later = VERSIONS["2.3.0"]

    @SLOW_TO_MAKE
    @given(objects_of(INNER_VERSION.models[kind]).filter(has_at_most_one_hub))
    def check(given_object: dict[str, Any]) -> None:
        before = copy.deepcopy(given_object)
        there = later.render(kind, INNER_VERSION.read(kind, given_object).object)
        assert there.losses == ()
        assert validate(later.models[kind], there.object) == there.object
        back = later.read(kind, there.object)
        assert back.losses == ()
        assert INNER_VERSION.render(kind, back.object) == Converted(given_object)
        assert given_object == before

    check()


@pytest.mark.parametrize("kind", STORED)
def test_2_3_0_to_the_inner_model_and_back_loses_nothing(kind: ObjectKind) -> None:
    version = VERSIONS["2.3.0"]

    @SLOW_TO_MAKE
    @given(objects_of(version.models[kind]))
    def check(given_object: dict[str, Any]) -> None:
        inner = version.read(kind, given_object)
        assert inner.losses == ()
        assert validate(INNER_MODELS[kind], inner.object) == inner.object
        assert version.render(kind, inner.object) == Converted(given_object)

    check()


@pytest.mark.parametrize("number", ["2.1.1", "2.2.1"])
@pytest.mark.parametrize("kind", STORED)
def test_what_is_rendered_is_as_the_versions_text_says(kind: ObjectKind, number: str) -> None:
    version = VERSIONS[number]

    @SLOW_TO_MAKE
    @given(objects_of(INNER_MODELS[kind]), st.booleans())
    def check(given_object: dict[str, Any], with_context: bool) -> None:
        if with_context and kind == ObjectKind.SESSION:
            given_object |= {"location_id": "LOC1", "evse_uid": "Evse-1", "connector_id": "1"}
        before = copy.deepcopy(given_object)
        try:
            rendered = version.render(kind, given_object, CONTEXT if with_context else Context())
        except Unconvertible as reason:
            assert "\n" not in str(reason)
            assert number == "2.1.1"
        else:
            assert validate(version.models[kind], rendered.object) == rendered.object
            assert all(path_exists(given_object, loss.path) for loss in rendered.losses)
        assert given_object == before

    check()


def path_exists(data: Any, path: str) -> bool:
    """Losses are named where they are in the object; a Session's Location is of the context."""
    steps = path.split(".")
    if steps[0] == "location":
        return True
    for number, step in enumerate(steps):
        if isinstance(data, list):
            data = data[int(step)]
        elif step in data:
            data = data[step]
        else:  # what had to be put in though it was not there
            return number == len(steps) - 1
    return True


READ_OF_2_1_1 = sorted(VERSIONS["2.1.1"].readers)


@pytest.mark.parametrize("kind", READ_OF_2_1_1)
def test_what_a_2_1_1_peer_says_is_an_inner_object(kind: ObjectKind) -> None:
    version = VERSIONS["2.1.1"]

    @SLOW_TO_MAKE
    @given(objects_of(version.models[kind]))
    def check(given_object: dict[str, Any]) -> None:
        if kind in BILLS:
            given_object["auth_id"] = samples.token()["contract_id"]
            evses = given_object["location"]["evses"] = given_object["location"].get("evses", [])[
                :1
            ]
            for evse in evses:
                del evse["connectors"][1:]
        try:
            read = version.read(kind, given_object, CONTEXT)
        except Unconvertible as reason:
            assert kind in BILLS
            assert str(reason).startswith("location.evses")
        else:
            assert validate(INNER_MODELS[kind], read.object) == read.object

    check()
