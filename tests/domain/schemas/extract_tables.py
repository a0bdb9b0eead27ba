"""Makes tests/data/ocpi_tables.json out of the OCPI text's tables.

    python -m tests.domain.schemas.extract_tables CHECKOUT_OF_OCPI

CHECKOUT_OF_OCPI is a folder of github.com/ocpi/ocpi, branch release-2.2.1-bugfixes. Never edit the
JSON by hand: it is the text's word, against which the models are tested.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

FILES = (
    "types",
    "mod_locations",
    "mod_sessions",
    "mod_cdrs",
    "mod_tariffs",
    "mod_tokens",
    "mod_commands",
    "mod_charging_profiles",
    "mod_hub_client_info",
    "credentials",
    "version_information_endpoint",
)
TARGET = Path(__file__).parents[2] / "data" / "ocpi_tables.json"
_HEADING = re.compile(r"=+ (.+)")
_KIND = re.compile(r"_?(\w+?)_? _?(object|class|enum)_?", re.IGNORECASE)
_LINK = re.compile(r"<<[^,>]*,([^>]*)>>")


def rows_of(text: str) -> list[tuple[str, list[str], list[str]]]:
    """(heading, column titles, cells) of every row; only the first line of a row is kept."""
    rows = []
    heading, in_table, columns = "", False, None
    for line in text.splitlines():
        if line.strip() == "|===":
            in_table, columns = not in_table, None
        elif not in_table and (match := _HEADING.fullmatch(line)):
            heading = match[1].strip()
        elif in_table and line.startswith("|"):
            cells = [_LINK.sub(r"\1", cell).strip() for cell in re.split(r"(?<!\\)\|", line)[1:]]
            if columns is None:
                columns = cells
            else:
                rows.append((heading, columns, cells))
    return rows


def extract(checkout: Path) -> dict[str, dict[str, Any]]:
    classes: dict[str, dict[str, list[str]]] = {}
    enums: dict[str, list[str]] = {}
    for file in FILES:
        for heading, columns, cells in rows_of((checkout / f"{file}.asciidoc").read_text()):
            kind = _KIND.fullmatch(heading)
            if columns[:3] == ["Property", "Type", "Card."]:
                # Version details have no class heading of their own, only "Data".
                name = kind[1] if kind else "VersionDetails"
                classes.setdefault(name, {})[cells[0]] = [cells[1], cells[2]]
            elif kind and kind[2].lower() == "enum":
                enums.setdefault(kind[1], []).append(
                    cells[columns.index("ModuleID") if "ModuleID" in columns else 0]
                )
    return {"classes": classes, "enums": enums}


if __name__ == "__main__":
    tables = extract(Path(sys.argv[1]))
    lines = [
        f'  "{section}": {{\n'
        + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in tables[section].items())
        + "\n  }"
        for section in ("classes", "enums")
    ]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sys.stderr.write(f"{len(tables['classes'])} classes, {len(tables['enums'])} enums\n")
