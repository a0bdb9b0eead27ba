"""docs/ocpi-versions.md names every field and every value that an earlier version lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path

import pytest

from domain.schemas import OcpiModel
from domain.versions import VERSIONS
from domain.versions.inner import MODELS as INNER_MODELS
from domain.versions.v2_1_1.names import NAMES
from domain.versions.v2_3_0.schemas.enums import OpenEnum

PAGE = (Path(__file__).parents[3] / "docs" / "ocpi-versions.md").read_text()
_OF = {"2.1.1": "## What 2.2.1 says and 2.1.1 does not", "2.2.1": "## What 2.3.0 says"}
Names = Mapping[type[OcpiModel], Mapping[str, str]]
NOT_OF_OBJECTS = {"VersionNumber", "Endpoint"}
"""What a platform says of itself in each version anew, and never converts."""


def told(number: str) -> dict[str, str]:
    """What the page says of each class, as one text; all of 2.2.1's table holds for 2.1.1, too."""
    found: dict[str, str] = {}
    for heading in {_OF["2.2.1"], _OF[number]}:
        section = PAGE.split(heading, 1)[1].split("\n## ", 1)[0]
        for classes, what, *_ in re.findall(
            r"^\| (.+?) \| (.+?) \| .+? \|$", section, re.MULTILINE
        ):
            for name in classes.split(", "):
                found[name] = found.get(name, "") + what
    return found


def lacking(number: str) -> set[tuple[str, str]]:
    """(class of the inner model, its field or value) that the version lacks."""
    version = VERSIONS[number]
    names: Names = NAMES if number == "2.1.1" else {}
    found: set[tuple[str, str]] = set()
    for kind, model in version.models.items():
        if kind in INNER_MODELS:
            found |= set(_lacking(INNER_MODELS[kind], model, names))
    return {(name, what) for name, what in found if name not in NOT_OF_OBJECTS}


def _lacking(ours: type[OcpiModel], theirs: type[OcpiModel], names) -> Iterator[tuple[str, str]]:  # type: ignore[no-untyped-def]
    renamed = names.get(theirs, {})
    fields = {renamed.get(name, name): field for name, field in theirs.__fields__.items()}
    for name, field in ours.__fields__.items():
        if name not in fields:
            yield ours.__name__, f"`{name}`"
            continue
        mine, other = field.type_, fields[name].type_
        if issubclass(mine, OcpiModel) and issubclass(other, OcpiModel):
            yield from _lacking(mine, other, names)
        elif issubclass(other, Enum):
            known = {str(member.value) for member in other}
            for value in _values(mine):
                if value not in known and other.__name__ not in NOT_OF_OBJECTS:
                    yield ours.__name__, value


def _values(kind: type) -> list[str]:
    if issubclass(kind, OpenEnum):
        return list(kind.known)
    return [str(member.value) for member in kind] if issubclass(kind, Enum) else []


@pytest.mark.parametrize("number", _OF)
def test_the_page_names_all_that_a_version_lacks(number: str) -> None:
    page = told(number)
    where = {"CdrLocation": "CdrLocation CDR Connector", "CdrDimension": "ChargingPeriod"}
    where |= {"CdrToken": "Token", "PublishTokenType": "Token Location"}
    where |= {"CommandResult": "CommandResult CommandResponse"}
    missing = [
        (name, what)
        for name, what in sorted(lacking(number))
        if not any(what in page.get(each, "") for each in where.get(name, name).split())
    ]
    assert missing == []
