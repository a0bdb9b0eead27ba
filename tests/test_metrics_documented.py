"""docs/console.md names each metric that there is, with its labels and its kind, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from db_interface.database import Database
from tests.conftest import Loop
from tests.exposed_metrics import exposed

PAGE = Path(__file__).parents[1] / "docs/console.md"
_OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


def documented() -> dict[str, frozenset[str]]:
    """{sample name: labels}, as the tables have them."""
    section = PAGE.read_text().split("## `/metrics`")[1].split("\n## ")[0]
    found: dict[str, frozenset[str]] = {}
    for row in re.findall(r"^\| (`cpo_.*)\|$", section, re.M):
        names, labels = row.split("|")[:2]
        its = frozenset(re.findall(r"`(\w+)`", labels))
        for name in re.findall(r"`(cpo_\w+)`", names):
            if "histogram" not in names:
                found[name] = its
                continue
            for suffix in _OF_HISTOGRAMS:
                found[name + suffix] = its | {"le"} if suffix == "_bucket" else its
    return found


def test_what_there_is_is_documented_and_what_is_documented_is_there(
    db: Database, loop: Loop
) -> None:
    there, said = loop.run(exposed(db)), documented()
    assert set(there) - set(said) == set(), "not documented"
    assert set(said) - set(there) == set(), "documented, and not there"
    assert said == there
