"""A location that says all there is, letter for letter as it was held against DATEX II's schemas.

Where the output is meant to change: `python -m tests.domain.datex.test_documents` writes the files
anew; hold them against the schemas then (test_against_schema.py says how).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from xml.dom.minidom import parseString

import orjson
import pytest

from tests.domain.datex import complete

FILES = Path(__file__).parents[2] / "data" / "datex"
DOCUMENTS: Mapping[str, Callable[..., bytes]] = {
    "table.xml": complete.table,
    "status.xml": complete.status,
    "table.json": complete.table_json,
    "status.json": complete.status_json,
}


def written(name: str) -> str:
    made = DOCUMENTS[name](complete.complete_location(), tariffs=complete.complete_tariffs())
    if name.endswith(".json"):
        return orjson.dumps(orjson.loads(made), option=orjson.OPT_INDENT_2).decode()
    return str(parseString(made).toprettyxml(indent=" "))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_location_that_says_all_there_is(name: str) -> None:
    assert written(name).splitlines() == (FILES / name).read_text("utf-8").splitlines()


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    for each in DOCUMENTS:
        (FILES / each).write_text(written(each).rstrip("\n") + "\n", "utf-8")
