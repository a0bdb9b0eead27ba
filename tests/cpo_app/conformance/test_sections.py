"""Every rule names a heading that the text of the version in question has, or is not asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cpo_app.conformance import lists, objects, sections, transport, versions
from cpo_app.conformance.receiver import answers, cdrs, parts
from cpo_app.conformance.receiver import objects as received
from cpo_app.conformance.sections import Section
from domain.versions import VERSIONS

HEADINGS = json.loads((Path(__file__).parents[2] / "data" / "ocpi_headings.json").read_text())
_OF_MODULES = (lists, objects, transport, versions, answers, cdrs)
RULES = [
    *(rule for module in _OF_MODULES for rule in module.RULES),
    *(*received.LOCATIONS, *received.TARIFFS, *received.SESSIONS),
    *(*parts.PARTS, *parts.END, *parts.DELETION, *lists.rules_of("tokens")),
]


@pytest.mark.parametrize("number", VERSIONS)
def test_every_section_is_a_heading_of_the_versions_text(number: str) -> None:
    named = {rule.section.in_text_of(VERSIONS[number]) for rule in RULES}
    assert named - set(HEADINGS[number]) <= {None}
    assert len(named) > 10


def test_what_a_text_does_not_say_is_what_it_has_no_heading_for() -> None:
    silent = {
        number: {rule.text for rule in RULES if rule.section.in_text_of(version) is None}
        for number, version in VERSIONS.items()
    }
    assert silent == {
        "2.1.1": {
            "X-Request-ID, X-Correlation-ID come back",
            "Routing headers come back swapped",
            "cdrs: a credit CDR is taken",
        },
        "2.2.1": set(),
        "2.3.0": set(),
    }


def test_a_version_that_is_not_named_has_the_heading_of_the_one_before() -> None:
    oldest, *_, newest = VERSIONS.values()
    assert Section({oldest.number: "file 1 Heading"}).in_text_of(newest) == "file 1 Heading"
    assert sections.ROUTING.in_text_of(oldest) is None
