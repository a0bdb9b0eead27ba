"""A location that says all there is, letter for letter as it was held against DATEX II's schema.

Where the output is meant to change: `python -m tests.domain.datex.test_documents` writes the files
anew; hold them against the schema then (test_against_schema.py says how).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from xml.dom.minidom import parseString

import pytest

from tests.domain.datex.complete import complete_location, complete_tariffs, status, table

FILES = Path(__file__).parents[2] / "data" / "datex"
DOCUMENTS: Mapping[str, Callable[..., bytes]] = {"table": table, "status": status}


def written(name: str) -> str:
    made = DOCUMENTS[name](complete_location(), tariffs=complete_tariffs())
    return str(parseString(made).toprettyxml(indent=" "))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_location_that_says_all_there_is(name: str) -> None:
    assert written(name).splitlines() == (FILES / f"{name}.xml").read_text("utf-8").splitlines()


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    for each in DOCUMENTS:
        (FILES / f"{each}.xml").write_text(written(each), "utf-8")
