"""A tariff while it is written: judged as an import judges it, each fault with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db_interface.json_data import JsonObject
from domain.imports.json_lines import line_of, lines_of
from domain.imports.tariff_check import check_tariff
from domain.imports.tariff_import import read_tariff
from tests.domain.schemas.samples import tariff

AT = "2025-05-01T12:00:00Z"


def text_of(**changed: Any) -> str:
    return json.dumps({**tariff(), **changed}, indent=2)


def line_with(text: str, part: str, nth: int = 0) -> int:
    """Where it stands, counted without the code under test."""
    return [n for n, line in enumerate(text.splitlines(), 1) if part in line][nth]


def test_what_is_right_is_what_an_import_would_take() -> None:
    given = tariff()
    del given["last_updated"]
    checked = check_tariff(json.dumps(given), last_updated=AT)
    assert (checked.problems, checked.warnings) == ([], [])
    assert checked.tariff == read_tariff({**given, "last_updated": AT}).obj.fields


@pytest.mark.parametrize(
    ("changed", "part", "nth", "path", "said"),
    [
        ({"currency": 7}, '"currency"', 0, "currency", "not a string"),
        (
            {"elements": [{"price_components": [{"type": "ENERGY", "step_size": 1}]}]},
            '"elements"',
            2,
            "elements.0.price_components.0.price",
            "required field missing",
        ),
        (
            {
                "elements": [
                    {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]},
                    {
                        "price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}],
                        "restrictions": {"min_kwh": 20, "max_kwh": 10},
                    },
                ]
            },
            '"restrictions"',
            0,
            "elements[1].restrictions",
            "min_kwh 20 is not below max_kwh 10: never true",
        ),
    ],
)
def test_each_fault_has_its_field_and_line(
    changed: dict[str, Any], part: str, nth: int, path: str, said: str
) -> None:
    text = text_of(**changed)
    checked = check_tariff(text, last_updated=AT)
    assert checked.tariff is None
    (found,) = checked.problems
    assert (found.path, found.text) == (path, said)
    # A field that is missing is missing from what it should be in.
    expected = line_with(text, part) if nth == 0 else line_with(text, '"elements"') + nth + 1
    assert found.line == expected


def test_a_slip_in_the_json_is_found_by_its_line() -> None:
    checked = check_tariff('{\n  "id": "X",\n  "currency" "EUR"\n}', last_updated=AT)
    assert [(one.line, one.path) for one in checked.problems] == [(3, "")]
    assert check_tariff("[]", last_updated=AT).problems[0].text == "is no JSON object"


def test_lines_are_those_of_any_json() -> None:
    value: JsonObject = {
        "a": [1, {"b": 'x, {not\\" this}'}, []],
        "c": {},
        "d": [[2], [3, 4]],
        'ä"': None,
    }
    text = json.dumps(value, indent=1, ensure_ascii=False)
    lines = lines_of(text)
    assert line_of("a[1].b", lines) == line_with(text, '"b"')
    assert line_of("d[1][1]", lines) == line_with(text, "4")
    assert line_of("d.0.0", lines) == line_with(text, "2")
    assert line_of("a[1].nothing", lines) == line_of("a[1]", lines) == line_with(text, '"b"') - 1
    assert line_of("", lines) == 1
