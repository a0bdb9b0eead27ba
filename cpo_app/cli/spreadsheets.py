"""CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence

from db_interface.json_data import JsonMapping, JsonObject
from domain.listing.spreadsheet import harmless


def print_csv(columns: Sequence[str], rows: Iterable[JsonMapping]) -> None:
    """Texts of others that begin like a formula are kept from being one."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_harmless(row) for row in rows)


def _harmless(row: JsonMapping) -> JsonObject:
    return {
        name: harmless(value) if isinstance(value, str) else value for name, value in row.items()
    }
