"""The texts' own objects, kept as ours and served in their version: as they stand in the text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from db_interface.owned_objects import OwnedObject, party_key
from domain.objects.cdrs import owned_cdr
from domain.objects.locations import owned_location
from domain.objects.tariffs import owned_tariff
from domain.schemas import parse_datetime
from domain.versions import VERSIONS, Context, ObjectKind, Party
from domain.views.in_use import look_again
from tests.cpo_app.ocpi.conftest import Face
from tests.cpo_app.ocpi.versions.objects import keep
from tests.domain.schemas.test_spec_examples import WRONG_IN_THE_TEXT as WRONG_IN_2_2_1
from tests.domain.versions.test_spec_examples import (
    DATA,
    PATCHES,
    SIGNS,
    WRONG_IN_THE_TEXT,
    names,
    parts_of,
)
from tests.peers.subjects import data_of

OURS = {"country_code": "DE", "party_id": "CPO"}
MODULES = {
    ObjectKind.LOCATION: "locations",
    ObjectKind.SESSION: "sessions",
    ObjectKind.CDR: "cdrs",
    ObjectKind.TARIFF: "tariffs",
}
LONG_AGO = "2000-01-01T00:00:00Z"
CARD_HOLDER = Party("NL", "TST")


def examples(number: str) -> list[tuple[ObjectKind, dict[str, Any]]]:
    """Those of the text that are whole objects of ours, each with an id and for a driver of its
    own."""
    found = _of_2_2_1() if number == "2.2.1" else _of_the_others(number)
    whole = [(kind, data) for kind, data in found if kind in MODULES]
    return [
        (kind, _as_ours(data, f"X{position}", number != "2.1.1"))
        for position, (kind, data) in enumerate(whole)
    ]


def _of_the_others(number: str) -> list[tuple[Any, dict[str, Any]]]:
    left_out = {*WRONG_IN_THE_TEXT, *PATCHES}
    return [
        part for name in names(number) if name not in left_out for part in parts_of(number, name)
    ]


def _of_2_2_1() -> list[tuple[Any, dict[str, Any]]]:
    folder = DATA / "spec_examples"
    found = []
    for module in MODULES.values():
        for path in sorted((folder / module).glob("*.json")):
            if f"{module}/{path.name}" in WRONG_IN_2_2_1 or "patch" in path.name:
                continue
            data = json.loads(path.read_text())
            found.append((next((kind for sign, kind in SIGNS if sign in data), None), data))
    return found


def _as_ours(data: dict[str, Any], id_: str, names_its_party: bool) -> dict[str, Any]:
    made = {**data, "id": id_}
    if names_its_party:
        made |= OURS
    if "cdr_token" in made:
        made["cdr_token"] = {**made["cdr_token"], **CARD_HOLDER._asdict()}
    return made


def owned(kind: ObjectKind, inner: dict[str, Any]) -> OwnedObject:
    if kind is ObjectKind.LOCATION:
        return owned_location(inner)
    if kind is ObjectKind.TARIFF:
        return owned_tariff(inner)
    if kind is ObjectKind.CDR:
        return owned_cdr(inner)
    at = parse_datetime(inner["last_updated"])
    return OwnedObject("DE", "CPO", (inner["id"],), inner, at, party_key(*CARD_HOLDER))


@pytest.mark.parametrize("number", VERSIONS)
def test_every_example_is_served_as_it_stands(face: Face, number: str) -> None:
    version = VERSIONS[number]
    peer = replace(face.connected("NL*TST", version=number), version=version)
    look_again(face.store.db)
    context = Context(party=Party(**OURS), time_zone="Europe/Brussels")
    given = examples(number)
    assert len(given) == {"2.1.1": 6, "2.2.1": 28, "2.3.0": 29}[number]
    for kind, data in given:
        keep(face, MODULES[kind], owned(kind, version.read(kind, data, context).object))
    served = {
        (kind, each["id"]): each
        for kind, module in MODULES.items()
        for each in data_of(peer.get(module, params={"date_from": LONG_AGO, "limit": 200}))
    }
    assert len(served) == len(given)
    for kind, data in given:
        mine = served[kind, data["id"]]
        expected = {**data, "last_updated": mine["last_updated"]}
        if number == "2.1.1" and kind is ObjectKind.LOCATION:
            expected["time_zone"] = "Europe/Brussels"  # which the example does not say
        assert mine == expected
