"""docs/deviations.md names every row of the audit, with who holds it, as the suite has it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from tests.cpo_app.ocpi.audit import (
    test_commands,
    test_credentials,
    test_lists,
    test_objects,
    test_tokens,
    test_transport,
)

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/deviations.md").read_text()
ROWS = re.findall(r"^\| (F\d{3}) \| .+ \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
SUITE: tuple[ModuleType, ...] = (
    test_commands,
    test_credentials,
    test_lists,
    test_objects,
    test_tokens,
    test_transport,
)


def test_every_row_of_the_audit_is_accounted_for() -> None:
    assert [row[0] for row in ROWS] == [f"F{number:03}" for number in range(1, 111)]


def test_the_rows_with_figures_are_those_of_the_suite() -> None:
    marked: dict[str, set[str]] = {}
    for module in SUITE:
        for test in vars(module).values():
            for row in getattr(test, "audit_rows", ()):
                marked.setdefault(row, set()).add(f"{module.__name__.rsplit('.', 1)[1]}.py")
    named = {row: set(re.findall(r"`(\S+?)`", held)) for row, _, ours, held in ROWS if ours != "-"}
    assert named == marked


def test_ours_passes_what_is_asked() -> None:
    figures = [ours.split(" of ") for _, _, ours, _ in ROWS if ours != "-"]
    assert figures and all(passed == asked for passed, asked in figures)


def test_the_tests_named_exist() -> None:
    paths = [path for row in ROWS for path in re.findall(r"`(tests/\S+?)`", row[3])]
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []
