"""XML is well formed whatever stands in a location, and never leaves out a field in silence."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.datex.shapes import SITE
from domain.datex.xml import NAMESPACES, NoSuchField, Out, escaped
from tests.domain.datex.complete import complete_location, complete_tariffs, table

AEGI = "{" + NAMESPACES["aegi"] + "}"
AFAC = "{" + NAMESPACES["afac"] + "}"
COM = "{" + NAMESPACES["com"] + "}"


@given(st.text(st.characters()))
def test_any_text_can_be_written(text: str) -> None:
    read = ElementTree.fromstring(f'<a b="{escaped(text)}">{escaped(text)}</a>').text or ""
    assert set(text) - set(read) <= {chr(n) for n in range(32)} | set("\ufffe\uffff") | {
        one for one in text if "\ud800" <= one <= "\udfff"
    }


def test_a_name_with_markup_is_a_name() -> None:
    location = {**complete_location(), "name": "</afac:name>&<!-- \x00 -->"}
    site = ElementTree.fromstring(table(location, tariffs=complete_tariffs())).find(
        f".//{AEGI}energyInfrastructureSite"
    )
    assert site is not None
    named = site.find(f"{AFAC}name/{COM}values/{COM}value")
    assert named is not None and named.text == "</afac:name>&<!--  -->"


def test_a_field_that_the_class_does_not_have_is_an_error() -> None:
    out: Out = []
    with pytest.raises(NoSuchField, match="aegi:site has no colour, taste"):
        SITE(out, "aegi:site", {"idG": "1", "taste": 1, "colour": 2})
    with pytest.raises(NoSuchField, match="afac:operatingHours is no afacNever"):
        SITE(out, "aegi:site", {"operatingHours": {"afacNever": {}}})
