"""XML is well formed whatever stands in a location, and never leaves out a field in silence."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_interface.json_data import JsonObject
from domain.datex.shapes import SITE
from domain.datex.words import text
from domain.datex.xml import NAMESPACES, NotOfTheSchema, escaped
from tests.domain.datex.complete import complete_location, complete_tariffs, table

AEGI = "{" + NAMESPACES["aegi"] + "}"
AFAC = "{" + NAMESPACES["afac"] + "}"
COM = "{" + NAMESPACES["com"] + "}"

UNKNOWN: JsonObject = {"afacAnOrganisation": {}}


@given(st.text(st.characters()))
def test_any_text_can_be_written(any_text: str) -> None:
    written = escaped(any_text)
    read = ElementTree.fromstring(f'<a b="{written}">{written}</a>').text or ""
    assert set(any_text) - set(read) <= {chr(n) for n in range(32)} | set("\ufffe\uffff") | {
        one for one in any_text if "\ud800" <= one <= "\udfff"
    }


def test_a_name_with_markup_is_a_name() -> None:
    location = {**complete_location(), "name": "</afac:name>&<!-- \x00 -->"}
    site = ElementTree.fromstring(table(location, tariffs=complete_tariffs())).find(
        f".//{AEGI}energyInfrastructureSite"
    )
    assert site is not None
    named = site.find(f"{AFAC}name/{COM}values/{COM}value")
    assert named is not None and named.text == "</afac:name>&<!--  -->"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"idG": "1", "colour": 2}, "aegi:site has no colour there"),
        ({"owner": UNKNOWN, "name": text("out of order", "en")}, "aegi:site has no name there"),
        ({"operatingHours": {"afacNever": {}}}, "afac:operatingHours is no afacNever"),
    ],
)
def test_what_the_class_does_not_have_there_is_an_error(given: JsonObject, said: str) -> None:
    with pytest.raises(NotOfTheSchema, match=said):
        SITE([], "aegi:site", given)
