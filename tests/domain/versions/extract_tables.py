"""Makes tests/data/ocpi_tables_VERSION.json out of the tables of OCPI 2.1.1 and 2.3.0.

    python -m tests.domain.versions.extract_tables 2.1.1 CHECKOUT_OF_OCPI

CHECKOUT_OF_OCPI is a folder of github.com/ocpi/ocpi, branch release-2.1.1-bugfixes or
2.3.0/release/core with mod_payments.asciidoc of 2.3.0/release/payments. Never edit the JSON by
hand: it is the text's word, against which the models are tested. (2.2.1's is made by
tests/domain/schemas/extract_tables.py.)
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.domain.schemas.extract_tables import FILES, rows_of

DATA = Path(__file__).parents[2] / "data"
_MODULES = {"2.1.1": [name for name in FILES if "profiles" not in name and "hub" not in name]}
_MODULES["2.3.0"] = [*FILES, "mod_invoice_reconciliation", "mod_payments"]
_MARKDOWN_HEADING = re.compile(r"#+ +(?:\d[\d.]* +)?(.+?)\s*")
_MARKDOWN_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKDOWN_RULE = re.compile(r"\|[\s:|-]+\|")
_KIND = re.compile(r"[_*]?([\w ]+?)[_*]? [_*]?(object|class|enum|openenum)[_*]?", re.IGNORECASE)
# "|Property |Type |Card." of a class; the texts' titles differ.
_CLASS_TITLES = {("Property", "Type"), ("Field Name", "Field Type"), ("Field Name", "Type")}
_ANCHOR = re.compile(r"\[\[\w+\]\]\s*")
_ASCIIDOC_CELL = re.compile(r"\s+a$")

Row = tuple[str, list[str], list[str]]


def markdown_rows(text: str) -> Iterable[Row]:
    """(heading, column titles, cells) of every row."""
    heading, columns = "", None
    for line in text.splitlines():
        if match := _MARKDOWN_HEADING.fullmatch(line):
            heading, columns = match[1], None
        elif not line.startswith("|"):
            columns = None
        elif not _MARKDOWN_RULE.fullmatch(line.strip()):
            plain = _MARKDOWN_LINK.sub(r"\1", line)
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", plain)[1:]]
            if columns is None:
                columns = cells
            else:
                yield heading, columns, cells


def text_rows(version: str, checkout: Path, module: str) -> Iterable[Row]:
    if version == "2.1.1":
        return markdown_rows((checkout / f"{module}.md").read_text())
    return rows_of((checkout / f"{module}.asciidoc").read_text())


def extract(version: str, checkout: Path) -> dict[str, dict[str, Any]]:
    classes: dict[str, dict[str, list[str]]] = {}
    enums: dict[str, list[str]] = {}
    open_enums: dict[str, list[str]] = {}
    for module in _MODULES[version]:
        for heading, columns, cells in text_rows(version, checkout, module):
            kind = _KIND.fullmatch(heading)
            if tuple(columns[:2]) in _CLASS_TITLES and columns[2] == "Card.":
                # Version details have no class heading of their own, only "Data".
                name = kind[1].replace(" ", "") if kind else "VersionDetails"
                field = _ANCHOR.sub("", cells[0]).removeprefix(">").strip()
                if not field.startswith("*"):  # "*Choice: one of two*"
                    rows = classes.setdefault(name, {})
                    rows[field] = [_ANCHOR.sub("", cells[1]), cells[2]]
            elif kind and "enum" in kind[2].lower():
                column = columns.index("ModuleID") if "ModuleID" in columns else 0
                values = enums if kind[2].lower() == "enum" else open_enums
                values.setdefault(kind[1], []).append(_ASCIIDOC_CELL.sub("", cells[column]))
    return {"classes": classes, "enums": enums, "open_enums": open_enums}


if __name__ == "__main__":
    number = sys.argv[1]
    tables = extract(number, Path(sys.argv[2]))
    lines = [
        f'  "{section}": {{\n'
        + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in tables[section].items())
        + "\n  }"
        for section in tables
    ]
    target = DATA / f"ocpi_tables_{number.replace('.', '_')}.json"
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sys.stderr.write(", ".join(f"{len(tables[name])} {name}" for name in tables) + "\n")
