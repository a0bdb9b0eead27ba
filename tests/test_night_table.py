"""What the night table of docs/operations.md says that one sees, some line of the product says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
_PLACEHOLDER = re.compile(r"%(?:\.\d+)?[sdfr]")
MIN_WORDS = 2
"""A text of fewer words of its own would be anything."""


def night_table() -> list[str]:
    """The lines of log that stand in the table's first column."""
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    table = page[page.index("## Night table") : page.index("### Alarms")]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    return [line for row in rows for line in re.findall(r"`([^`]+)`", row)]


@cache
def said() -> list[re.Pattern[str]]:
    """Every text of the product that has words, whatever stands in its gaps."""
    found = []
    for package in ("cpo_app", "auth", "domain", "db_interface"):
        for file in (REPOSITORY / package).rglob("*.py"):
            for pieces in texts(ast.parse(file.read_text())):
                if len(re.findall(r"[A-Za-z]+", " ".join(pieces))) >= MIN_WORDS:
                    found.append(re.compile(".*".join(map(re.escape, pieces)), re.S))
    return found


def texts(tree: ast.AST) -> Iterator[list[str]]:
    """What a text says between its gaps: "%s: waiting for %s" gives ["", ": waiting for ", ""]."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = [""]
            for part in node.values:
                if isinstance(part, ast.Constant):
                    pieces[-1] += str(part.value)
                else:
                    pieces.append("")
            yield pieces
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield _PLACEHOLDER.split(node.value)


def test_there_is_a_night_table() -> None:
    assert len(night_table()) >= 10


@pytest.mark.parametrize("line", night_table())
def test_a_line_of_the_night_table_can_appear(line: str) -> None:
    assert any(text.fullmatch(line) for text in said()), "nothing says this any more"
